import type { Clock } from '../../kernel/clock.js';
import { messageOf } from '../../kernel/errors.js';
import { Engine, EngineUnavailable, type EngineState } from '../../modules/serving/engine.port.js';
import { EngineCondition } from './engine-condition.js';

const ANSWER_MS = 5000;

/** A server of yours, by its address: it is asked, never started or ended. */
export abstract class ServerEngine extends Engine {
  readonly isOurs = false;
  readonly id: string;
  readonly #url: string;
  readonly #condition: EngineCondition;
  #base: string | undefined;

  constructor({ id, url }: { id: string; url: string }, clock: Clock) {
    super();
    this.id = id;
    this.#url = url;
    this.#condition = new EngineCondition({ down: 'it was not asked yet' }, clock);
  }

  /** Whether it answers. @returns the name of its base there @throws EngineUnavailable */
  protected abstract look(signal: AbortSignal): Promise<string>;
  /** Ends the connections to it. */
  abstract close(): Promise<void>;

  state(): EngineState {
    return this.#condition.state;
  }

  onChange(listener: () => void): () => void {
    return this.#condition.onChange(listener);
  }

  async wake(signal: AbortSignal): Promise<void> {
    if (this.state().is === 'up') return;
    try {
      this.#base = await this.look(AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]));
      this.#condition.set('up');
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const reason = isTimeout(error) ? `it does not answer within ${ANSWER_MS / 1000} s` : messageOf(error);
      this.#condition.setBad('down', reason);
      throw new EngineUnavailable(`${this.#url}: ${reason}`);
    }
  }

  /** The server itself goes on; it counts as down until it answers again. */
  stop(): Promise<void> {
    this.#condition.setBad('down', 'it did not answer');
    return Promise.resolve();
  }

  baseName(): string {
    if (this.#base === undefined) throw new EngineUnavailable(`${this.#url} did not answer yet`);
    return this.#base;
  }
}

const isTimeout = (error: unknown): boolean => error instanceof Error && error.name === 'TimeoutError';
