import { Overloaded, WaitedTooLong, type LeaseOptions } from './lease.js';

type Patience = Pick<LeaseOptions, 'signal' | 'waitMs'>;

interface Waiter {
  look: () => void;
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
   * @throws Overloaded, WaitedTooLong, what `attempt` throws, the signal's reason
   */
  next<T>(attempt: () => T | undefined, { signal, waitMs }: Patience): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const first = attempt();
      if (first !== undefined) return resolve(first);
      if (this.#waiters.size >= this.limit)
        return reject(new Overloaded(`${this.#waiters.size} requests wait already (CLARA_SERVING_QUEUE)`));
      const leave = (why: unknown): void => {
        this.#waiters.delete(waiter);
        clearTimeout(timer);
        signal.removeEventListener('abort', left);
        reject(why);
      };
      const left = (): void => leave(signal.reason);
      const timer = waitMs === undefined ? undefined : setTimeout(() => leave(new WaitedTooLong()), waitMs);
      const waiter: Waiter = {
        look: () => {
          const found = attempt();
          if (found === undefined) return;
          resolve(found);
          leave(undefined);
        },
        fail: leave,
      };
      this.#waiters.add(waiter);
      signal.addEventListener('abort', left, { once: true });
    });
  }

  look(): void {
    for (const waiter of this.#waiters)
      try {
        waiter.look();
      } catch (error) {
        waiter.fail(error);
      }
  }
}
