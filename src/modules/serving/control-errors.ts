import { AppError } from '../../kernel/errors.js';
import { EngineUnavailable } from './engine.port.js';
import { NotServable, Overloaded } from './lease.js';
import type { Loaded } from './replica-pool.js';

const RETRY_SECONDS = '5';

/** What an order to the replicas failed by, for the API; anything else as it is. */
export function controlError(error: unknown): unknown {
  if (error instanceof NotServable) return new AppError('conflict', error.message);
  if (error instanceof Overloaded)
    return new AppError('rate_limited', error.message, [], { 'Retry-After': RETRY_SECONDS });
  if (error instanceof EngineUnavailable)
    return new AppError('unavailable', `The engine is not there: ${error.message}`, [], {
      'Retry-After': RETRY_SECONDS,
    });
  if (error instanceof Error && error.name === 'TimeoutError')
    return new AppError('unavailable', 'The engine did not get ready in time; try again in a moment');
  return error;
}

/** @throws AppError `conflict` where replicas are up and none of them took it */
export function checkTaken(name: string, loaded: readonly Loaded[]): void {
  if (loaded.length === 0 || loaded.some(({ reason }) => reason === null)) return;
  const reasons = loaded.map(({ replica, reason }) => `${replica}: ${reason}`).join('; ');
  throw new AppError('conflict', `No replica takes the adapter ${name}: ${reasons}`);
}
