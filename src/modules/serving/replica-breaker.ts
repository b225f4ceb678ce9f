import {
  circuitBreaker,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleAll,
  type IBreaker,
  isBrokenCircuitError,
  SamplingBreaker,
} from 'cockatiel';

/** Failures in a row that eject a replica from routing. */
const IN_A_ROW = 5;
/** This share of the answers of this long, at no fewer than one a second, does too. */
const SHARE = { threshold: 0.5, duration: 10_000, minimumRps: 1 };
const PAUSE = { initialDelay: 1000, maxDelay: 30_000 };

/** Opens where either of the two would. */
class EitherBreaker implements IBreaker {
  readonly #all: readonly IBreaker[] = [new ConsecutiveBreaker(IN_A_ROW), new SamplingBreaker(SHARE)];

  get state(): unknown {
    return this.#all.map(({ state }) => state);
  }

  set state(states: unknown) {
    for (const [index, breaker] of this.#all.entries()) breaker.state = (states as unknown[])[index];
  }

  success(state: CircuitState): void {
    for (const breaker of this.#all) breaker.success(state);
  }

  failure(state: CircuitState): boolean {
    return this.#all.map((breaker) => breaker.failure(state)).some((opens) => opens);
  }
}

class AnswerFailed extends Error {}

/** Keeps a replica whose answers fail out of routing, until a look at it succeeds. */
export class ReplicaBreaker {
  #policy: CircuitBreakerPolicy = fresh();

  get isClosed(): boolean {
    return this.#policy.state === CircuitState.Closed;
  }

  answered(outcome: 'ok' | 'failed'): void {
    // An answer that began before the break says nothing of what is now.
    if (!this.isClosed) return;
    const counted = this.#policy.execute(() => {
      if (outcome === 'failed') throw new AnswerFailed();
    });
    counted.catch(() => undefined);
  }

  /** Looks whether it is well again; not before its pause is over. @returns whether it is */
  async recover(look: () => Promise<void>): Promise<boolean> {
    if (this.isClosed) return true;
    try {
      await this.#policy.execute(look);
    } catch (error) {
      if (!isBrokenCircuitError(error)) return false;
    }
    return this.isClosed;
  }

  /** A new process has nothing to do with what the old one failed. */
  reset(): void {
    this.#policy = fresh();
  }
}

const fresh = (): CircuitBreakerPolicy =>
  circuitBreaker(handleAll, { breaker: new EitherBreaker(), halfOpenAfter: new ExponentialBackoff(PAUSE) });
