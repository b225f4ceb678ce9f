import type { Settings } from '../../config/settings.js';
import { baseSlug } from '../../kernel/base-slug.js';
import { messageOf } from '../../kernel/errors.js';
import type { CatalogVersion } from '../adapters/adapter-catalog.port.js';
import type { GpuSlots } from '../training/gpu-slots.port.js';
import { AdapterLoading, SlotsBusy, type LoadingParts } from './adapter-loading.js';
import { AdapterSlots, type Held } from './adapter-slots.js';
import { AdapterRefused, type Engine, EngineUnavailable, type ServedModel } from './engine.port.js';
import type { Outcome } from './lease.js';
import { ReplicaBreaker } from './replica-breaker.js';
import { GpusTaken, ReplicaGpus } from './replica-gpus.js';
import { restartPauseMs } from './restart-pause.js';

export interface ReplicaParts extends LoadingParts {
  settings: Pick<Settings['serving'], 'maxLoras' | 'maxRows' | 'drainMs'>;
  gpus: GpuSlots;
  /** What it should hold, the most important first. */
  wanted: (base: string) => readonly CatalogVersion[];
  /** Whether requests wait for an engine. */
  isAwaited: () => boolean;
}

/** One engine, what it holds, and what runs on it. */
export class Replica {
  readonly slots: AdapterSlots;
  readonly loading: AdapterLoading;
  readonly breaker = new ReplicaBreaker();
  readonly #gpus: ReplicaGpus;
  #bases: readonly string[] = [];
  #isFurnished = false;
  #waking: Promise<void> | undefined;
  #leaving: Promise<void> | undefined;
  #failures = 0;
  #upAt = 0;
  #notBefore = 0;
  #reason = '';
  #running = 0;
  #failedAnswers = 0;
  #lastUsed: number;

  constructor(
    readonly engine: Engine,
    private readonly parts: ReplicaParts,
  ) {
    this.slots = new AdapterSlots(parts.settings.maxLoras);
    this.loading = new AdapterLoading(engine, this.slots, parts);
    this.#gpus = new ReplicaGpus(engine, parts.gpus, () => this.#makeWay());
    this.#lastUsed = parts.now();
    engine.onChange(() => this.#engineChanged());
  }

  get id(): string {
    return this.engine.id;
  }

  /** Answers that run. */
  get running(): number {
    return this.#running;
  }

  /** Answers that failed, since the beginning. */
  get failedAnswers(): number {
    return this.#failedAnswers;
  }

  /** Milliseconds since 1970. */
  get lastUsed(): number {
    return this.#lastUsed;
  }

  /** Whether it is up, and got what it should hold. */
  get isFurnished(): boolean {
    return this.#isFurnished;
  }

  /** Whether it takes requests: it did not fail lately, either. */
  get isReady(): boolean {
    return this.isFurnished && this.breaker.isClosed;
  }

  get hasRoom(): boolean {
    return this.#running < this.parts.settings.maxRows;
  }

  get isStarting(): boolean {
    return this.#waking !== undefined;
  }

  /** Why no start is tried for a while; undefined: one may be. */
  get resting(): string | undefined {
    return this.parts.now() < this.#notBefore ? this.#reason : undefined;
  }

  /** It crashed and is started again in a moment, which is worth waiting for. */
  get isComingBack(): boolean {
    const pause = this.#notBefore - this.parts.now();
    return this.engine.isOurs && this.engine.state().is === 'down' && pause <= SOON_MS;
  }

  /** Slugs of its base model: of its name, and of the folder behind it; known once it was up. */
  get bases(): readonly string[] {
    return this.#bases;
  }

  /** Starts it and loads what it should hold; all who want it up share one start. @throws EngineUnavailable */
  wake(): Promise<void> {
    if (this.#isFurnished) return Promise.resolve();
    if (this.resting !== undefined) return Promise.reject(new EngineUnavailable(this.resting));
    this.#waking ??= this.#wake().finally(() => {
      this.#waking = undefined;
      this.parts.changed();
    });
    return this.#waking;
  }

  /** Ends the engine; it is started again when somebody needs it. */
  rest(reason: string): Promise<void> {
    return this.#leave(() => this.#stop(reason));
  }

  /** A job needs the GPU: what runs may end, nothing begins. */
  #makeWay(): Promise<void> {
    return this.#leave(async () => {
      const end = this.parts.now() + this.parts.settings.drainMs;
      while (this.#running > 0 && this.parts.now() < end) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      await this.#stop('a job needs its GPU');
    });
  }

  /** Whoever wants it up meanwhile waits, and it is started anew. */
  #leave(work: () => Promise<void>): Promise<void> {
    this.#isFurnished = false;
    this.#leaving ??= work().finally(() => {
      this.#leaving = undefined;
      this.parts.changed();
    });
    return this.#leaving;
  }

  async #stop(reason: string): Promise<void> {
    this.parts.log.info('an engine leaves memory', { engine: this.id, reason });
    await this.engine.stop();
    await this.#gpus.release();
  }

  begin(held: Held | undefined): void {
    this.#running += 1;
    this.#lastUsed = this.parts.now();
    if (held) held.lastUsed = this.#lastUsed;
  }

  end(outcome: Outcome): void {
    this.#running -= 1;
    if (outcome === 'failed') this.#failedAnswers += 1;
    this.#lastUsed = this.parts.now();
    if (outcome !== 'gone') this.breaker.answered(outcome);
    this.parts.changed();
  }

  /** Looks whether it is well again after failures; who waits for it looks too. */
  async recover(look: () => Promise<void>): Promise<void> {
    if (await this.breaker.recover(look)) this.parts.changed();
  }

  /** @throws EngineUnavailable */
  served(limitMs: number): Promise<ServedModel[]> {
    return this.engine.served(AbortSignal.timeout(limitMs));
  }

  async #wake(): Promise<void> {
    try {
      await this.#start();
      this.#upAt = this.parts.now();
      this.#lastUsed = this.#upAt;
      this.parts.metrics.started(this.id, 'ok');
    } catch (error) {
      if (error instanceof GpusTaken) throw error;
      this.#failures += 1;
      this.#reason = messageOf(error);
      const isOwn = this.engine.isOurs;
      // A server of yours is only asked: that may happen again soon.
      this.#notBefore = this.parts.now() + (isOwn ? restartPauseMs(this.#failures + 1) : ASK_AGAIN_MS);
      this.parts.metrics.started(this.id, 'failed');
      throw error instanceof EngineUnavailable ? error : new EngineUnavailable(this.#reason);
    }
  }

  async #start(): Promise<void> {
    await this.#leaving?.catch(() => undefined);
    const gpus = await this.#gpus.take(this.parts.isAwaited);
    await this.engine.wake(AbortSignal.timeout(LONGEST_START_MS), gpus).catch(async (error: unknown) => {
      await this.#gpus.release();
      throw error;
    });
    const served = await this.served(LIST_MS);
    const base = this.engine.baseName();
    const root = served.find(({ engineName }) => engineName === base)?.root;
    this.#bases = [...new Set([base, ...(root ? [root] : [])].map(baseSlug))];
    this.breaker.reset();
    await this.#furnish(served);
  }

  /** It lost what it held: no traffic until it has that again. @throws EngineUnavailable */
  async renew(): Promise<void> {
    this.#isFurnished = false;
    await this.#furnish(await this.served(LIST_MS));
    this.parts.changed();
  }

  async #furnish(served: readonly ServedModel[]): Promise<void> {
    this.loading.reset();
    await this.#adopt(served);
    await this.fill();
    this.#isFurnished = this.engine.state().is === 'up' && !this.#leaving;
  }

  /** What a server held before we knew it is proved and kept where we know it, within the slots. */
  async #adopt(served: readonly ServedModel[]): Promise<void> {
    const names = new Set(served.filter(({ parent }) => parent !== null).map(({ engineName }) => engineName));
    const known = this.wanted().filter((version) => names.has(this.engine.nameOf(version)));
    for (const version of known) await this.#tryLoad(version);
  }

  /** Loads what it should hold into the slots that are free. */
  async fill(): Promise<void> {
    for (const version of this.wanted()) {
      if (this.slots.free === 0) return;
      const isThere = this.slots.of(version.id) ?? this.loading.isLoading(version.id);
      if (!isThere && this.loading.refusal(version.id) === undefined) await this.#tryLoad(version);
    }
  }

  /** Loads a version that a request waits for; the least wanted one makes room. Never throws. */
  async load(version: CatalogVersion): Promise<void> {
    await this.loading.ensure(version, 'evict').catch((error: unknown) => {
      if (error instanceof SlotsBusy) return;
      if (!(error instanceof AdapterRefused)) this.breaker.answered('failed');
      this.parts.log.warn('an adapter is not loaded', {
        engine: this.id,
        version: version.name,
        reason: messageOf(error),
      });
    });
  }

  /** What is not taken is drift, which is shown; the others must not wait for it. */
  async #tryLoad(version: CatalogVersion): Promise<void> {
    await this.loading.ensure(version, 'free').catch((error: unknown) => {
      this.parts.log.warn('an adapter is not loaded', {
        engine: this.id,
        version: version.name,
        reason: messageOf(error),
      });
    });
  }

  /** What it should hold, most important first. */
  wanted(): readonly CatalogVersion[] {
    return this.#bases.flatMap((base) => this.parts.wanted(base));
  }

  #engineChanged(): void {
    const state = this.engine.state();
    if (state.is === 'up' || state.is === 'starting') return;
    const wasReady = this.#isFurnished;
    this.#isFurnished = false;
    this.slots.clear();
    if (state.is === 'down' && wasReady) this.#crashed(state.reason);
    if (!this.isStarting) void this.#gpus.release().catch(() => undefined);
    this.parts.changed();
  }

  #crashed(reason: string): void {
    const wasStable = this.parts.now() - this.#upAt > STABLE_MS;
    this.#failures = wasStable ? 1 : this.#failures + 1;
    this.#reason = reason;
    this.#notBefore = this.parts.now() + restartPauseMs(this.#failures);
  }
}

const LIST_MS = 15_000;
const ASK_AGAIN_MS = 1000;
/** Who ran for so long and crashed is no one who crashes at every start. */
const STABLE_MS = 60_000;
const POLL_MS = 50;
const SOON_MS = 5000;
/** An engine has a limit of its own; this one holds where the trainer is still being installed. */
const LONGEST_START_MS = 3_600_000;
