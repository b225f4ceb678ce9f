import { setImmediate } from 'node:timers/promises';
import { messageOf } from '../../kernel/errors.js';
import type { Log } from '../../kernel/log.js';
import type { CatalogVersion } from '../adapters/adapter-catalog.port.js';
import { AdapterSlots, leastWanted, type Held, type Importance } from './adapter-slots.js';
import { AdapterRefused, type Engine } from './engine.port.js';
import { differ, firstToken, type FirstToken } from './load-probe.js';
import type { ServingMetrics } from './serving-metrics.js';
import { addsNothing } from './zero-adapter.js';

/** Every slot is taken by a version with running answers. */
export class SlotsBusy extends Error {}

interface Refusal {
  reason: string;
  /** Milliseconds since 1970. */
  at: number;
}

export interface LoadingParts {
  log: Log;
  importance: Importance;
  metrics: ServingMetrics;
  now: () => number;
  /** Called after each change that somebody may wait for. */
  changed: () => void;
}

/**
 * Whose place a version may take. free: nobody's. evict: that of the least wanted one without answers. wait: that of one
 * that is being loaded, too, once it is there.
 */
type Room = 'free' | 'evict' | 'wait';

const LOAD_MS = 60_000;
const UNLOAD_MS = 15_000;
/** A refusal holds for so long: a folder may be put back. */
const REFUSED_MS = 10_000;

/** Brings adapters into the slots of one engine, each proved by a token that its base would not give. */
export class AdapterLoading {
  readonly #loading = new Map<string, Promise<Held>>();
  readonly #removing = new Map<string, Promise<void>>();
  /** Loads that have their slot: they wait for nobody. */
  readonly #filling = new Set<Promise<Held>>();
  readonly #refusals = new Map<string, Refusal>();
  #base: Promise<FirstToken> | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly slots: AdapterSlots,
    private readonly parts: LoadingParts,
  ) {}

  /** Why the engine did not take it a moment ago. */
  refusal(versionId: string): string | undefined {
    const refusal = this.#refusals.get(versionId);
    return refusal && this.parts.now() - refusal.at < REFUSED_MS ? refusal.reason : undefined;
  }

  get refusals(): ReadonlyMap<string, Refusal> {
    return this.#refusals;
  }

  isLoading(versionId: string): boolean {
    return this.#loading.has(versionId);
  }

  /**
   * Those who want the same version share the loading of it.
   * @throws AdapterRefused, SlotsBusy, EngineUnavailable
   */
  async ensure(version: CatalogVersion, room: Room): Promise<Held> {
    try {
      return await this.#ensured(version, room);
    } finally {
      this.parts.changed();
    }
  }

  async #ensured(version: CatalogVersion, room: Room): Promise<Held> {
    const held = this.#stayingOf(version.id);
    if (held) return held;
    const running = this.#loading.get(version.id);
    if (running) return room === 'wait' ? running.catch((error: unknown) => this.#again(version, error)) : running;
    const loading = this.#load(version, room).finally(() => this.#loading.delete(version.id));
    this.#loading.set(version.id, loading);
    return loading;
  }

  /** Whoever loads it already may not have waited for a slot. */
  #again(version: CatalogVersion, error: unknown): Promise<Held> {
    if (error instanceof SlotsBusy) return this.#ensured(version, 'wait');
    throw error;
  }

  /** The engine began anew: it holds nothing, and may hold another base. */
  reset(): void {
    this.slots.clear();
    this.#refusals.clear();
    this.#base = undefined;
  }

  /** Ends what runs with it and takes it out of the engine. Never throws: what stays there is drift, and mended. */
  async remove(held: Held, why: Error): Promise<void> {
    held.isLeaving = true;
    for (const answer of held.answers) answer.abort(why);
    const removing = this.engine
      .unload(held.engineName, AbortSignal.timeout(UNLOAD_MS))
      .catch((error: unknown) => this.parts.log.warn('an adapter was not unloaded', { reason: messageOf(error) }))
      .finally(() => {
        this.#removing.delete(held.versionId);
        if (this.slots.of(held.versionId) === held) this.slots.drop(held.versionId);
      });
    this.#removing.set(held.versionId, removing);
    await removing;
  }

  /** One that was to leave and is wanted again stays, unless it is gone already. */
  #stayingOf(versionId: string): Held | undefined {
    if (this.#removing.has(versionId)) return undefined;
    const held = this.slots.of(versionId);
    if (held) held.isLeaving = false;
    return held;
  }

  async #load(version: CatalogVersion, room: Room): Promise<Held> {
    await this.#removing.get(version.id);
    const giveBack = this.slots.reserve() ?? (await this.#makeRoom(room));
    const filling = this.#fill(version, giveBack);
    this.#filling.add(filling);
    return filling.finally(() => this.#filling.delete(filling));
  }

  async #fill(version: CatalogVersion, giveBack: () => void): Promise<Held> {
    const began = this.parts.now();
    try {
      const held = await this.#loadAndProve(version);
      this.slots.put(held);
      this.#refusals.delete(version.id);
      this.parts.metrics.loaded(this.engine.id, 'ok', this.parts.now() - began);
      return held;
    } catch (error) {
      const isRefused = error instanceof AdapterRefused;
      // An engine that went away says nothing about the adapter.
      if (this.engine.state().is === 'up')
        this.#refusals.set(version.id, { reason: messageOf(error), at: this.parts.now() });
      this.parts.metrics.loaded(this.engine.id, isRefused ? 'refused' : 'failed', this.parts.now() - began);
      throw error;
    } finally {
      giveBack();
    }
  }

  async #makeRoom(room: Room): Promise<() => void> {
    for (let turn = 0; room !== 'free' && turn <= 2 * this.slots.count; turn += 1) {
      await this.#someRoom(room);
      const giveBack = this.slots.reserve();
      if (giveBack) return giveBack;
    }
    throw new SlotsBusy('another adapter took the slot');
  }

  /** A slot that is being left just now is waited for; only then does another version go. */
  async #someRoom(room: Room): Promise<void> {
    if (this.#removing.size > 0) return Promise.race(this.#removing.values());
    const least = leastWanted(this.slots.all, this.parts.importance);
    if (least) return this.#evict(least);
    if (room === 'evict' || this.#filling.size === 0)
      throw new SlotsBusy('every slot of the replica is taken by an adapter that answers right now');
    await Promise.race([...this.#filling].map((filling) => filling.catch(() => undefined)));
    // Whoever waits for it gets it first.
    await setImmediate();
  }

  async #evict(least: Held): Promise<void> {
    await this.remove(least, new Error('it had no answers'));
    this.parts.metrics.evicted(this.engine.id);
  }

  async #loadAndProve(version: CatalogVersion): Promise<Held> {
    const engineName = this.engine.nameOf(version);
    const { id, path, rank } = version;
    const signal = AbortSignal.timeout(LOAD_MS);
    await this.engine.load({ engineName, path, rank }, signal);
    try {
      const effect = await this.#prove(engineName, path);
      return { versionId: id, engineName, effect, lastUsed: this.parts.now(), answers: new Set(), isLeaving: false };
    } catch (error) {
      await this.engine.unload(engineName, AbortSignal.timeout(UNLOAD_MS)).catch(() => undefined);
      throw error;
    }
  }

  /** An engine that took an adapter has proved nothing: some say yes and go on answering as the base does. */
  async #prove(engineName: string, path: string): Promise<'changes' | 'none'> {
    this.#base ??= firstToken(this.engine, this.engine.baseName());
    const base = await this.#base.catch((error: unknown) => {
      this.#base = undefined;
      throw error;
    });
    if (differ(base, await firstToken(this.engine, engineName))) return 'changes';
    const isEmpty = await addsNothing(path).catch((error: unknown) => {
      throw new AdapterRefused(`its weights cannot be read: ${messageOf(error)}`);
    });
    if (isEmpty) return 'none';
    throw new AdapterRefused(
      'the engine says that it holds the adapter, and answers exactly as the base does: it does not use it',
    );
  }
}
