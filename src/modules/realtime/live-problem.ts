import { AppError, messageOf } from '../../kernel/errors.js';
import type { Log } from '../../kernel/log.js';

/** What a client may read of an error; the log gets those that are ours. */
export function describeProblem(error: unknown, log: Log): string {
  if (error instanceof AppError) return error.message;
  log.error('a live request failed', { error: messageOf(error) });
  return 'Internal error; try again';
}
