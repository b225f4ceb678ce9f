import { Injectable } from '@nestjs/common';
import { AdapterCatalog, type CatalogVersion } from '../adapters/adapter-catalog.port.js';
import { findVersion } from './find-version.js';
import type { Replica } from './replica.js';
import { ReplicaPool } from './replica-pool.js';
import { Reconciler } from './reconciler.service.js';
import type {
  ServedAdaptersDto,
  AdapterPlaceDto,
  BareStatusDto,
  ListedAdapterDto,
  ReplicaDto,
  RouterStatusDto,
  ServingStatusDto,
} from './serving.dto.js';
import type { ServingStatus } from './serving-status.port.js';
import { WantedAdapters } from './wanted-adapters.js';

/** The alias that `activate_adapter` moves: what answers where a client of the original names no adapter. */
export const ACTIVE_ALIAS = 'active';

/** What stands where, for people. */
@Injectable()
export class ServingViews implements ServingStatus {
  constructor(
    private readonly pool: ReplicaPool,
    private readonly reconciler: Reconciler,
    private readonly wanted: WantedAdapters,
    private readonly catalog: AdapterCatalog,
  ) {}

  now() {
    const { replicas } = this.pool;
    const held = new Set(replicas.flatMap(({ slots }) => slots.all.map(({ versionId }) => versionId)));
    return {
      engine: this.pool.engine,
      replicas: { up: replicas.filter(({ isReady }) => isReady).length, total: replicas.length },
      adapters: held.size,
    };
  }

  status(router: RouterStatusDto): ServingStatusDto {
    return {
      engine: this.pool.engine,
      base_model: this.#base(),
      waiting: this.pool.waiting,
      active_adapter: this.active()?.name ?? null,
      replicas: this.pool.replicas.map((replica) => this.#replica(replica)),
      router,
    };
  }

  list(): ServedAdaptersDto {
    const { versions } = this.catalog.snapshot();
    return {
      adapters: versions.map((version) => this.#adapter(version)),
      active_adapter: this.active()?.name ?? null,
      drift: this.pool.replicas.reduce((sum, { id }) => sum + this.reconciler.driftOf(id).length, 0),
    };
  }

  bare(): BareStatusDto {
    const loaded = this.catalog.snapshot().versions.filter(({ id }) => this.pool.holds(id));
    return {
      base_model: this.#base(),
      adapters: Object.fromEntries(loaded.map(({ name, path }) => [name, path])),
      active_adapter: this.active()?.name ?? null,
    };
  }

  /** What the alias `active` means. */
  active(): CatalogVersion | undefined {
    const snapshot = this.catalog.snapshot();
    const isThere = snapshot.aliases.some(({ alias }) => alias === ACTIVE_ALIAS);
    return isThere ? findVersion(snapshot, ACTIVE_ALIAS) : undefined;
  }

  #base(): string | null {
    return this.pool.replicas.flatMap(({ bases }) => bases)[0] ?? null;
  }

  #replica(replica: Replica): ReplicaDto {
    const state = replica.engine.state();
    return {
      id: replica.id,
      kind: replica.engine.kind,
      state: state.is,
      takes_requests: replica.isReady,
      reason: 'reason' in state ? state.reason : (replica.resting ?? null),
      ejected: !replica.breaker.isClosed,
      bases: [...replica.bases],
      running: replica.running,
      slots: replica.slots.count,
      adapters: replica.slots.all.map((held) => ({
        version_id: held.versionId,
        engine_name: held.engineName,
        state: held.isLeaving ? 'leaving' : 'loaded',
        effect: held.effect,
        running: held.answers.size,
        last_used: new Date(held.lastUsed).toISOString(),
      })),
      drift: this.reconciler.driftOf(replica.id).map(({ kind, engineName, versionId, reason }) => ({
        kind,
        engine_name: engineName,
        version_id: versionId,
        reason,
      })),
    };
  }

  #adapter(version: CatalogVersion): ListedAdapterDto {
    const row = this.wanted.row(version.id);
    const aliases = this.wanted.aliasesOf(version.id);
    return {
      adapter_id: version.name,
      version_id: version.id,
      model_id: version.modelId,
      base: version.base,
      method: version.method,
      rank: version.rank,
      path: version.path,
      aliases,
      pinned: row?.pinned ?? false,
      wanted: row?.wanted ?? aliases.length > 0,
      loaded: this.pool.holds(version.id),
      replicas: this.pool.replicas.map((replica) => placeOf(replica, version.id)),
    };
  }
}

function placeOf({ id: replica, slots, loading }: Replica, versionId: string): AdapterPlaceDto {
  const held = slots.of(versionId);
  if (held) return { replica, state: held.isLeaving ? 'leaving' : 'loaded', reason: null };
  if (loading.isLoading(versionId)) return { replica, state: 'loading', reason: null };
  const refusal = loading.refusals.get(versionId);
  return refusal ? { replica, state: 'refused', reason: refusal.reason } : { replica, state: 'absent', reason: null };
}
