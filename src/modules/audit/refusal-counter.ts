import type { AuditEntry, Refused } from './audit.port.js';

export interface Refusal {
  who: Refused;
  entry: Omit<AuditEntry, 'outcome'>;
}

interface Counted extends Refusal {
  more: number;
  until: number;
}

export const WINDOW_MS = 60_000;

/** Equal refusals within a minute: the first is a row at once, the others are one row with their number at its end. */
export class RefusalCounter {
  readonly #windows = new Map<string, Counted>();
  #dropped = 0;

  /** @param most different refusals within a minute that have rows of their own */
  constructor(
    private readonly now: () => number,
    private readonly most = 1000,
  ) {}

  /** The refusal where it must be written now. */
  add(refusal: Refusal): Refusal | undefined {
    const key = keyOf(refusal);
    const window = this.#windows.get(key);
    if (window && this.now() < window.until) {
      window.more += 1;
      return undefined;
    }
    if (!window && this.#windows.size >= this.most) {
      this.#dropped += 1;
      return undefined;
    }
    this.#windows.set(key, { ...refusal, more: 0, until: this.now() + WINDOW_MS });
    return window && window.more > 0 ? withCount({ ...refusal, more: window.more + 1, until: 0 }) : refusal;
  }

  /** The count rows of the windows that have ended; with `all`, of every window. */
  due(all: 'all' | 'ended' = 'ended'): Refusal[] {
    const ended = [...this.#windows].filter(([, window]) => all === 'all' || this.now() >= window.until);
    for (const [key] of ended) this.#windows.delete(key);
    return ended.filter(([, window]) => window.more > 0).map(([, window]) => withCount(window));
  }

  /** How many refusals were not even counted by kind since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }
}

const withCount = ({ who, entry, more }: Counted): Refusal => ({
  who,
  entry: { ...entry, detail: { ...entry.detail, count: more } },
});

const keyOf = ({ who, entry }: Refusal): string =>
  JSON.stringify([entry.action, entry.target, entry.detail, who.address, who.subject]);
