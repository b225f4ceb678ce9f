import { Injectable } from '@nestjs/common';
import { messageOf } from '../../kernel/errors.js';
import type { CatalogVersion } from '../adapters/adapter-catalog.port.js';
import { GpuSlots } from '../training/gpu-slots.port.js';
import { AnswerEnded, NotServable, type Lease, type LeaseOptions } from './lease.js';
import { LeaseQueue } from './lease-queue.js';
import type { EngineKind } from './engine.port.js';
import { Engines } from './engines.port.js';
import { Replica } from './replica.js';
import { RetryBudget } from './retry-budget.js';
import { ServingTools } from './serving-tools.js';
import type { Target } from './targets.js';
import { tryLease } from './try-lease.js';
import { WantedAdapters } from './wanted-adapters.js';

/** What became of a version at a replica. */
export interface Loaded {
  replica: string;
  /** null: it is loaded. */
  reason: string | null;
}

/** The replicas that answer, and who gets to send to which. */
@Injectable()
export class ReplicaPool {
  readonly replicas: readonly Replica[];
  readonly #queue: LeaseQueue;
  readonly #budget: RetryBudget;
  readonly #listeners = new Set<() => void>();
  readonly #unloading = new Map<string, Promise<number>>();

  constructor(
    engines: Engines,
    private readonly wanted: WantedAdapters,
    gpus: GpuSlots,
    private readonly tools: ServingTools,
  ) {
    const { settings, clock, metrics, log } = tools;
    this.#budget = new RetryBudget(clock);
    this.#queue = new LeaseQueue(settings.serving.queue);
    const parts = {
      settings: settings.serving,
      gpus,
      log,
      metrics,
      importance: (versionId: string) => wanted.importance(versionId),
      wanted: (base: string) => wanted.ranked(base),
      now: () => clock.now(),
      changed: () => this.#changed(),
      isAwaited: () => this.waiting > 0,
    };
    this.replicas = engines.all.map((engine) => new Replica(engine, parts));
  }

  /** What CLARA_SERVING_ENGINE says. */
  get engine(): EngineKind {
    return this.tools.settings.serving.engine;
  }

  /** Requests that wait for a replica or an adapter. */
  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * A replica that holds the target, by even load; wakes and loads, and waits for it, until the signal.
   * @throws EngineUnavailable the start failed; NotServable; Overloaded; WaitedTooLong; the signal's reason
   */
  async lease(target: Target, options: LeaseOptions): Promise<Lease> {
    options.signal.throwIfAborted();
    this.#budget.requested();
    if (target.kind === 'version') this.wanted.use(target.version.id);
    return this.#queue.next(() => tryLease(this.replicas, target, options), options);
  }

  /** Whether a request that failed before its first token may be tried on another replica: retries are at most a share of all. */
  mayRetry(): boolean {
    return this.#budget.take();
  }

  /** Resolves when no answer of the version runs, or at the deadline. @returns how many still run */
  async drain(versionId: string, deadlineMs: number): Promise<number> {
    const end = this.tools.clock.now() + deadlineMs;
    for (;;) {
      const running = this.#answersOf(versionId);
      const left = end - this.tools.clock.now();
      if (running === 0 || left <= 0) return running;
      await this.#nextChange(Math.min(left, LONGEST_WAIT_MS));
    }
  }

  /** Brings a version into every replica that is up, at the cost of the least wanted one there. */
  async loadEverywhere(version: CatalogVersion): Promise<Loaded[]> {
    const up = this.replicas.filter((replica) => replica.isReady && replica.bases.includes(version.base));
    return Promise.all(
      up.map(async ({ id, loading }) => {
        try {
          await loading.ensure(version, 'wait');
          return { replica: id, reason: null };
        } catch (error) {
          return { replica: id, reason: messageOf(error) };
        }
      }),
    );
  }

  /** Wakes the first replica that can be, where none is up. @throws EngineUnavailable; NotServable: none has this base */
  async awake(base: string, signal: AbortSignal): Promise<void> {
    const lease = await this.#queue.next(() => tryLease(this.replicas, { kind: 'base' }, NO_EXCEPTION), { signal });
    lease.release('gone');
    const known = this.replicas.filter(({ bases }) => bases.length > 0);
    if (known.length > 0 && !known.some(({ bases }) => bases.includes(base)))
      throw new NotServable(
        otherBase(
          base,
          known.flatMap(({ bases }) => bases),
        ),
      );
  }

  /** Takes a version out of routing, gives its answers time to end, ends them, and drops it. @returns answers that were ended */
  unload(versionId: string): Promise<number> {
    const running = this.#unloading.get(versionId);
    if (running) return running;
    const unloading = this.#unload(versionId).finally(() => this.#unloading.delete(versionId));
    this.#unloading.set(versionId, unloading);
    return unloading;
  }

  async #unload(versionId: string): Promise<number> {
    const holders = this.replicas.flatMap(({ loading, slots }) => {
      const held = slots.of(versionId);
      return held ? [{ loading, held }] : [];
    });
    for (const { held } of holders) held.isLeaving = true;
    const left = await this.drain(versionId, this.tools.settings.serving.drainMs);
    if (left > 0)
      this.tools.log.warn('answers of an unloaded adapter were ended', { version: versionId, answers: left });
    const ended = new AnswerEnded('the adapter was unloaded, and this answer did not end in time');
    // What was wanted again meanwhile stays.
    const leaving = holders.filter(({ held }) => held.isLeaving);
    await Promise.all(leaving.map(({ loading, held }) => loading.remove(held, ended)));
    this.#changed();
    return left;
  }

  /** Drops a version where no answer of it runs. */
  async dropUnused(versionId: string): Promise<void> {
    const why = new AnswerEnded('the adapter was unloaded');
    await Promise.all(
      this.replicas.map(async ({ loading, slots }) => {
        const held = slots.of(versionId);
        if (held && held.answers.size === 0) await loading.remove(held, why);
      }),
    );
    this.#changed();
  }

  holds(versionId: string): boolean {
    return this.replicas.some(({ slots }) => slots.of(versionId));
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #answersOf(versionId: string): number {
    return this.replicas.reduce((sum, { slots }) => sum + (slots.of(versionId)?.answers.size ?? 0), 0);
  }

  #changed(): void {
    this.#queue.look();
    for (const listener of this.#listeners) listener();
  }

  async #nextChange(limitMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, limitMs);
      const off = this.onChange(done);
      function done(): void {
        clearTimeout(timer);
        off();
        resolve();
      }
    });
  }
}

const LONGEST_WAIT_MS = 1000;
const NO_EXCEPTION = { except: new Set<string>() };

const otherBase = (base: string, served: readonly string[]): string =>
  `the adapter belongs to the base model ${base}; served is ${[...new Set(served)].join(', ')}`;
