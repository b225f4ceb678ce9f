import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppError } from '../../kernel/errors.js';
import { inTransaction, type Sql } from '../../kernel/transaction.js';
import { AdapterCatalog, type CatalogVersion } from '../adapters/adapter-catalog.port.js';
import { AuditTrail } from '../audit/audit.port.js';
import type { Caller } from '../security/principal.port.js';
import { checkTaken, controlError } from './control-errors.js';
import { findVersion, unknownAdapter } from './find-version.js';
import { ReplicaPool, type Loaded } from './replica-pool.js';
import { WantedAdapters } from './wanted-adapters.js';
import { WantedStore } from './wanted.store.js';

export interface LoadOrder {
  /** Id, name, `ft:` id or alias; or the folder of a registered version. */
  adapter: { reference: string } | { path: string };
  /** undefined: as it is. */
  pinned: boolean | undefined;
}

const LOAD_LIMIT_MS = 120_000;

/** Loads and unloads adapters by hand; what is loaded so stays wanted until it is unloaded. */
@Injectable()
export class AdapterControl {
  constructor(
    private readonly catalog: AdapterCatalog,
    private readonly pool: ReplicaPool,
    private readonly wanted: WantedAdapters,
    private readonly store: WantedStore,
    private readonly source: DataSource,
    private readonly audit: AuditTrail,
  ) {}

  /** @throws AppError `not_found`; `conflict` where no replica takes it; `unavailable` */
  async load(
    order: LoadOrder,
    caller: Caller,
  ): Promise<{ version: CatalogVersion; wasLoaded: boolean; loaded: Loaded[] }> {
    const version = await this.#find(order.adapter);
    const wasLoaded = this.pool.holds(version.id);
    const { pinned } = order;
    await this.#record(caller, { action: 'serving.adapter.load', version, detail: { pinned: pinned ?? null } }, (sql) =>
      this.store.want({ versionId: version.id, how: 'asked', by: caller.subject, pinned }, sql),
    );
    try {
      await this.pool.awake(version.base, AbortSignal.timeout(LOAD_LIMIT_MS));
      const loaded = await this.pool.loadEverywhere(version);
      checkTaken(version.name, loaded);
      return { version, wasLoaded, loaded };
    } catch (error) {
      // An engine that is away gets it when it is back; one that does not take it should not be asked again and again.
      const told = controlError(error);
      if (told instanceof AppError && told.code === 'conflict') await this.wanted.forget(version.id);
      throw told;
    }
  }

  /**
   * Answers that run may end (60 s); later requests for the version load it again.
   * @param how forced: also where an alias or a pin holds it
   * @throws AppError `not_found`; `conflict` while an alias means it, or it is pinned
   */
  async unload(
    reference: string,
    how: 'forced' | 'plain',
    caller: Caller,
  ): Promise<{ version: CatalogVersion; ended: number }> {
    const version = await this.#find({ reference });
    const holds = this.#holdersOf(version.id);
    if (holds.length > 0 && how === 'plain')
      throw new AppError('conflict', `${version.name} stays: ${holds.join(', ')}; change that, or send force=true`);
    if (!this.pool.holds(version.id) && !this.wanted.row(version.id)?.wanted)
      throw new AppError('not_found', `${version.name} is not loaded`);
    await this.#record(
      caller,
      { action: 'serving.adapter.unload', version, detail: { force: how === 'forced' } },
      (sql) => this.store.unwant(version.id, caller.subject, sql),
    );
    const ended = await this.pool.unload(version.id);
    return { version, ended };
  }

  #holdersOf(versionId: string): string[] {
    const aliases = this.wanted.aliasesOf(versionId).map((alias) => `the alias "${alias}" means it`);
    return this.wanted.row(versionId)?.pinned ? [...aliases, 'it is pinned'] : aliases;
  }

  async #find(adapter: LoadOrder['adapter']): Promise<CatalogVersion> {
    if ('reference' in adapter) {
      const found = await this.catalog.found((registry) => findVersion(registry, adapter.reference));
      if (!found) throw unknownAdapter(adapter.reference);
      return found;
    }
    const path = adapter.path.replace(/(.)\/+$/, '$1');
    const found = await this.catalog.found(({ versions }) => versions.find((version) => version.path === path));
    if (found) return found;
    throw new AppError(
      'not_found',
      `No registered adapter lies at "${adapter.path.slice(0, 300)}"; upload the folder at POST /api/adapters first`,
    );
  }

  async #record(
    caller: Caller,
    { action, version, detail }: { action: string; version: CatalogVersion; detail: Record<string, unknown> },
    write: (sql: Sql) => Promise<void>,
  ): Promise<void> {
    await inTransaction(this.source, async (sql) => {
      await write(sql);
      const target = { type: 'adapter', id: version.id };
      await this.audit.record(sql, caller, {
        action,
        target,
        outcome: 'done',
        detail: { name: version.name, ...detail },
      });
    });
    await this.wanted.changed();
  }
}
