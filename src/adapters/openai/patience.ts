import type { Clock } from '../../kernel/clock.js';
import { retryPauseMs } from './retry-pause.js';

/** What came of one try. */
export type Try<T> = { answer: T } | { failure: string; retryAfter: string | null };

export interface Patience {
  /** Of one try. */
  timeoutMs: number;
  /** Of all tries, the waits between them included. */
  deadlineMs: number;
  clock: Clock;
}

const MOST_TRIES = 6;

/**
 * Tries again while it fails and there is time.
 * @param attempt is given a signal that ends it when it is late; what it throws is not tried again
 * @returns the last try @throws the reason of `signal`
 */
export async function patiently<T>(
  attempt: (late: AbortSignal) => Promise<Try<T>>,
  { timeoutMs, deadlineMs, clock }: Patience,
  signal: AbortSignal,
): Promise<Try<T>> {
  const end = clock.now() + deadlineMs;
  const left = (): number => Math.max(1, Math.min(timeoutMs, end - clock.now()));
  for (let tries = 1; ; tries += 1) {
    const result = await attempt(AbortSignal.timeout(left()));
    if ('answer' in result) return result;
    signal.throwIfAborted();
    const pause = retryPauseMs(tries, result.retryAfter, clock.now());
    if (tries >= MOST_TRIES || clock.now() + pause >= end) return result;
    await clock.sleep(pause, signal);
    signal.throwIfAborted();
  }
}
