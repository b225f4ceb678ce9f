import { Overloaded } from './lease.js';

interface Waiter {
  /** @returns false: it goes on waiting */
  look: () => boolean;
  fail: (error: unknown) => void;
}

/** Requests that wait for what they need, first come first served; each looks again after every change. */
export class LeaseQueue {
  readonly #waiters = new Set<Waiter>();

  constructor(private readonly limit: number) {}

  get length(): number {
    return this.#waiters.size;
  }

  /**
   * @param attempt answers undefined where there is to be waited
   * @throws Overloaded, what `attempt` throws, the signal's reason
   */
  next<T>(attempt: () => T | undefined, signal: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const first = attempt();
      if (first !== undefined) return resolve(first);
      if (this.#waiters.size >= this.limit)
        return reject(new Overloaded(`${this.#waiters.size} requests wait already (CLARA_SERVING_QUEUE)`));
      const waiter: Waiter = {
        look: () => {
          const found = attempt();
          if (found !== undefined) resolve(found);
          return found !== undefined;
        },
        fail: reject,
      };
      const left = (): void => {
        this.#waiters.delete(waiter);
        reject(signal.reason);
      };
      this.#waiters.add(waiter);
      signal.addEventListener('abort', left, { once: true });
    });
  }

  look(): void {
    for (const waiter of this.#waiters)
      try {
        if (waiter.look()) this.#waiters.delete(waiter);
      } catch (error) {
        this.#waiters.delete(waiter);
        waiter.fail(error);
      }
  }
}
