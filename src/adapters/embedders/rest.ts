import type { Clock } from '../../kernel/clock.js';
import { EmbedderUnavailable } from '../../modules/documents/embedder.port.js';

/** After a failure nothing is tried for a while, and everybody is told why at once. */
export class Rest {
  #current: { until: number; reason: string } | undefined;

  constructor(private readonly clock: Clock) {}

  begin(ms: number, reason: string): void {
    this.#current = { until: this.clock.now() + ms, reason };
  }

  /** @throws EmbedderUnavailable */
  throwIfResting(): void {
    if (this.#current && this.#current.until > this.clock.now()) throw new EmbedderUnavailable(this.#current.reason);
    this.#current = undefined;
  }
}
