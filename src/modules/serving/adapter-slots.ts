/** A version that a replica holds. */
export interface Held {
  versionId: string;
  engineName: string;
  /** none: its weights change nothing, and the probe says so. */
  effect: 'changes' | 'none';
  /** Milliseconds since 1970. */
  lastUsed: number;
  /** The answers that run with it, each with what ends it. */
  answers: Set<AbortController>;
  /** On its way out: no answer begins with it any more. */
  isLeaving: boolean;
}

/** How sorely a version is missed: 0 not at all, 1 an alias means it, 2 it is pinned. */
export type Importance = (versionId: string) => 0 | 1 | 2;

/** The held version to give up for another: without running answers, the least important, then the least recently used. */
export function leastWanted(held: readonly Held[], importance: Importance): Held | undefined {
  const idle = held.filter(({ answers, isLeaving }) => answers.size === 0 && !isLeaving);
  return idle.toSorted(
    (one, other) => importance(one.versionId) - importance(other.versionId) || one.lastUsed - other.lastUsed,
  )[0];
}

/** The places for adapters of one replica. */
export class AdapterSlots {
  readonly #held = new Map<string, Held>();
  #reserved = 0;

  constructor(readonly count: number) {}

  get all(): readonly Held[] {
    return [...this.#held.values()];
  }

  get free(): number {
    return Math.max(0, this.count - this.#held.size - this.#reserved);
  }

  /** Whether one more would find a place, if only by the end of one that nobody uses. */
  get canTake(): boolean {
    return this.free > 0 || this.all.some(({ answers, isLeaving }) => answers.size === 0 && !isLeaving);
  }

  of(versionId: string): Held | undefined {
    return this.#held.get(versionId);
  }

  put(held: Held): void {
    this.#held.set(held.versionId, held);
  }

  drop(versionId: string): void {
    this.#held.delete(versionId);
  }

  clear(): void {
    this.#held.clear();
  }

  /** Keeps a free place while an adapter is being loaded. @returns what gives it back; undefined: none is free */
  reserve(): (() => void) | undefined {
    if (this.free === 0) return undefined;
    this.#reserved += 1;
    return () => void (this.#reserved -= 1);
  }
}
