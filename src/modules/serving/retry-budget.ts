import type { Clock } from '../../kernel/clock.js';

const SHARE = 0.2;
const RESERVE = 10;
const PER_SECOND = 1;

/**
 * Retries are at most a fifth of the requests, and one a second besides, so that they do not become a second storm.
 * (A token bucket, as Finagle's RetryBudget.)
 */
export class RetryBudget {
  #balance = RESERVE;
  #at: number;

  constructor(private readonly clock: Clock) {
    this.#at = clock.now();
  }

  requested(): void {
    this.#add(SHARE);
  }

  /** Takes one retry out of the budget. @returns false where none is left */
  take(): boolean {
    const now = this.clock.now();
    this.#add(((now - this.#at) / 1000) * PER_SECOND);
    this.#at = now;
    if (this.#balance < 1) return false;
    this.#balance -= 1;
    return true;
  }

  #add(share: number): void {
    this.#balance = Math.min(RESERVE * 10, this.#balance + share);
  }
}
