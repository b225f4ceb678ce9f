import type { Clock } from '../../kernel/clock.js';
import { AppError } from '../../kernel/errors.js';

const MINUTE_MS = 60_000;
/** Keys that are counted at a time, about 10 MB; with more, the oldest begin anew. */
const MOST_KEYS = 50_000;

/** One of so many. */
const FORGOTTEN_AT_ONCE = 10;

/** How much of a limit is used up, and in how many seconds it begins anew. */
export interface Usage {
  limit: number;
  used: number;
  seconds: number;
}

interface Minute {
  used: number;
  endsAt: number;
}

/** Counts by key, each over a minute that begins with the key's first count. */
export class MinuteCounts {
  /** By the start of the minute, oldest first. */
  readonly #minutes = new Map<string, Minute>();

  constructor(
    private readonly clock: Clock,
    /** 0: no limit. */
    readonly limit: number,
    private readonly mostKeys = MOST_KEYS,
  ) {}

  get keys(): number {
    return this.#minutes.size;
  }

  usage(key: string): Usage {
    const minute = this.#current(key);
    const left = minute ? minute.endsAt - this.clock.now() : MINUTE_MS;
    return { limit: this.limit, used: minute?.used ?? 0, seconds: Math.max(1, Math.ceil(left / 1000)) };
  }

  isUsedUp(key: string): boolean {
    return this.limit > 0 && (this.#current(key)?.used ?? 0) >= this.limit;
  }

  /** Counts one, and answers how to take it back; it counts for the minute it was counted in. */
  add(key: string): () => void {
    const minute = this.#current(key) ?? this.#begin(key);
    minute.used += 1;
    return () => void (minute.used -= 1);
  }

  #current(key: string): Minute | undefined {
    const minute = this.#minutes.get(key);
    return minute && minute.endsAt > this.clock.now() ? minute : undefined;
  }

  #begin(key: string): Minute {
    this.#minutes.delete(key);
    if (this.#minutes.size >= this.mostKeys) this.#forgetOldest();
    const minute = { used: 0, endsAt: this.clock.now() + MINUTE_MS };
    this.#minutes.set(key, minute);
    return minute;
  }

  /** Many at once: looking for the first of a Map that lost its first ones takes as long as they are many. */
  #forgetOldest(): void {
    let left = Math.ceil(this.mostKeys / FORGOTTEN_AT_ONCE);
    for (const key of this.#minutes.keys()) {
      if (left === 0) return;
      this.#minutes.delete(key);
      left -= 1;
    }
  }
}

/** As draft-ietf-httpapi-ratelimit-headers named them before it put them into one field. */
export const limitHeaders = ({ limit, used, seconds }: Usage): Record<string, string> => ({
  'RateLimit-Limit': String(limit),
  'RateLimit-Remaining': String(Math.max(0, limit - used)),
  'RateLimit-Reset': String(seconds),
});

export function tooMany(what: string, usage: Usage): AppError {
  const headers = { ...limitHeaders(usage), 'Retry-After': String(usage.seconds) };
  return new AppError('rate_limited', `${what}; try again in ${usage.seconds} s`, [], headers);
}
