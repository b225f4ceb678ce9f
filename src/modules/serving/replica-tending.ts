import { messageOf } from '../../kernel/errors.js';
import type { Log } from '../../kernel/log.js';
import type { Held } from './adapter-slots.js';
import { driftOf, type Drift } from './drift.js';
import type { ServedModel } from './engine.port.js';
import type { Replica } from './replica.js';
import type { ServingMetrics } from './serving-metrics.js';
import type { WantedAdapters } from './wanted-adapters.js';

export interface TendingParts {
  wanted: WantedAdapters;
  metrics: ServingMetrics;
  log: Log;
  now: () => number;
  idleMs: number;
  /** Threads that an engine of this host should use now. */
  threads: () => number;
  /** Takes a version out of every replica, its answers ended in time. */
  unload: (versionId: string) => Promise<unknown>;
}

/** What an engine says that it serves, and what it was believed to hold when it was asked. */
interface Listed {
  served: readonly ServedModel[];
  before: readonly Held[];
}

const CHECK_MS = 5000;
const LIST_MS = 10_000;
const UNLOAD_MS = 15_000;
/** Looks in a row that may fail before an engine counts as hung. */
const MISSES = 3;
/** Names of ours. Others, which the server was started with, are left alone. */
const OURS = /^ft:/;

/** Keeps one replica as it should be: up while it is needed, and with the adapters that are wanted. */
export class ReplicaTending {
  #drift: readonly Drift[] = [];
  #checkedAt = Number.NEGATIVE_INFINITY;
  #misses = 0;
  #failedAnswers = 0;
  #threads: number | undefined;

  constructor(
    readonly replica: Replica,
    private readonly parts: TendingParts,
  ) {}

  /** Of the last look. */
  get drift(): readonly Drift[] {
    return this.#drift;
  }

  /** The next round looks at once. */
  hurry(): void {
    this.#checkedAt = Number.NEGATIVE_INFINITY;
  }

  async round(): Promise<void> {
    const { engine } = this.replica;
    const state = engine.state();
    if (state.is === 'up') return this.#whileUp();
    this.#drift = [];
    this.#threads = undefined;
    const isWanted = state.is === 'down' || (state.is === 'failed' && !engine.isOurs);
    // What crashed comes back with its adapters; what could not start waits for somebody who needs it.
    if (isWanted && this.replica.resting === undefined) await this.replica.wake().catch(() => undefined);
  }

  async #whileUp(): Promise<void> {
    if (this.replica.isStarting) return;
    if (this.#isIdle()) return this.replica.rest('nobody needed it for CLARA_SERVING_IDLE_MINUTES');
    if (this.#isTime()) {
      this.#checkedAt = this.parts.now();
      await this.#tend();
    }
    await this.#adjustThreads();
  }

  /** A failed answer may be the first sign that the engine began anew. */
  #isTime(): boolean {
    const { isReady, failedAnswers } = this.replica;
    const hasFailed = failedAnswers !== this.#failedAnswers;
    this.#failedAnswers = failedAnswers;
    return hasFailed || !isReady || this.parts.now() - this.#checkedAt >= CHECK_MS;
  }

  #isIdle(): boolean {
    const { engine, running, lastUsed } = this.replica;
    const { idleMs, now } = this.parts;
    return engine.isOurs && idleMs > 0 && running === 0 && now() - lastUsed >= idleMs;
  }

  async #check(): Promise<Listed> {
    const before = this.replica.slots.all;
    try {
      const served = await this.replica.served(LIST_MS);
      this.#misses = 0;
      return { served, before };
    } catch (error) {
      this.#misses += 1;
      this.hurry();
      if (this.#misses >= MISSES) await this.#hung(messageOf(error));
      throw error;
    }
  }

  async #hung(reason: string): Promise<void> {
    this.parts.log.warn('an engine does not answer and is given up', { engine: this.replica.id, reason });
    this.#misses = 0;
    await this.replica.rest('it does not answer');
    if (this.replica.engine.isOurs) await this.replica.wake().catch(() => undefined);
  }

  /** One that was ejected is mended before it takes requests again: it may have begun anew meanwhile. */
  async #tend(): Promise<void> {
    const { replica } = this;
    if (!replica.breaker.isClosed) return replica.recover(async () => this.#compare(await this.#check()));
    const listed = await this.#check().catch(() => undefined);
    if (listed) await this.#compare(listed);
  }

  async #compare(listed: Listed): Promise<void> {
    if (this.replica.engine.state().is !== 'up') return;
    if (!listed.served.some(({ engineName }) => engineName === this.replica.engine.baseName()))
      return this.replica.rest('it serves another base model now');
    const found = this.#look(listed);
    for (const { kind } of found) this.parts.metrics.drifted(this.replica.id, kind);
    await this.#mend(found);
    this.#drift = this.#look(await this.#check().catch(() => listed));
  }

  #look({ served, before }: Listed): Drift[] {
    const { replica, parts } = this;
    return driftOf({
      served,
      held: replica.slots.all,
      before,
      wanted: replica.wanted(),
      nameOf: (version) => replica.engine.nameOf(version),
      refusal: (versionId) => replica.loading.refusals.get(versionId)?.reason,
      isLoading: (versionId) => replica.loading.isLoading(versionId),
      isMissed: (versionId) => parts.wanted.importance(versionId) > 0 || parts.wanted.row(versionId)?.how === 'asked',
    });
  }

  async #mend(found: readonly Drift[]): Promise<void> {
    const { replica } = this;
    const missing = found.filter(({ kind }) => kind === 'missing');
    if (missing.length > 0)
      this.parts.log.warn('a replica lost adapters', { engine: replica.id, adapters: missing.length });
    // It began anew: no traffic before it has all of them.
    if (missing.length > 0 && missing.length === replica.slots.all.length) return replica.renew();
    for (const { versionId } of missing) if (versionId) replica.slots.drop(versionId);
    for (const drift of found.filter(({ kind }) => kind === 'unexpected')) await this.#settle(drift);
    // What came to be wanted since the look stays.
    const wanted = new Set(replica.wanted().map(({ id }) => id));
    for (const { kind, versionId } of found)
      if (kind === 'unwanted' && versionId && !wanted.has(versionId)) void this.parts.unload(versionId);
    if (replica.isFurnished) await replica.fill();
    else await replica.renew();
  }

  async #settle({ engineName, versionId }: Drift): Promise<void> {
    // A wanted one is proved and kept by the filling of the slots.
    if (versionId !== null && this.replica.slots.free > 0) return;
    if (!OURS.test(engineName)) return;
    await this.replica.engine.unload(engineName, AbortSignal.timeout(UNLOAD_MS)).catch((error: unknown) => {
      this.parts.log.warn('an unexpected adapter stays', { engine: this.replica.id, reason: messageOf(error) });
    });
  }

  async #adjustThreads(): Promise<void> {
    const { engine, isReady } = this.replica;
    const threads = this.parts.threads();
    if (!engine.isOurs || !isReady || threads === this.#threads) return;
    await engine
      .useThreads(threads, AbortSignal.timeout(LIST_MS))
      .then(() => (this.#threads = threads))
      .catch((error: unknown) =>
        this.parts.log.warn('an engine keeps its threads', { engine: this.replica.id, reason: messageOf(error) }),
      );
  }
}
