import { setTimeout as wait } from 'node:timers/promises';

/** Time as a dependency: milliseconds since 1970, and waiting that a signal ends early. */
export abstract class Clock {
  abstract now(): number;
  /** Resolves after `ms`, or at once when the signal fires. */
  abstract sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export class SystemClock extends Clock {
  now(): number {
    return Date.now();
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    await wait(ms, undefined, signal ? { signal } : {}).catch(() => undefined);
  }
}
