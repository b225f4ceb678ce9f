import type { Clock } from '../../kernel/clock.js';
import type { EngineState } from '../../modules/serving/engine.port.js';

/** The state of an engine, and who wants to hear of its changes. */
export class EngineCondition {
  readonly #listeners = new Set<() => void>();
  #state: EngineState;

  constructor(
    first: 'asleep' | { down: string },
    private readonly clock: Clock,
  ) {
    this.#state = first === 'asleep' ? { is: first } : this.#bad('down', first.down);
  }

  get state(): EngineState {
    return this.#state;
  }

  set(is: 'asleep' | 'starting' | 'up'): void {
    this.#state = { is };
    this.#tell();
  }

  setBad(is: 'down' | 'failed', reason: string): void {
    this.#state = this.#bad(is, reason);
    this.#tell();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #bad(is: 'down' | 'failed', reason: string): EngineState {
    return { is, reason, since: new Date(this.clock.now()) };
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
