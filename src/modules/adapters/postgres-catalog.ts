import { isDeepStrictEqual } from 'node:util';
import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { BackgroundLoop } from '../../kernel/background-loop.js';
import { AppError } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { rowsOf } from '../../kernel/transaction.js';
import { Wakeups } from '../../kernel/wakeups.js';
import {
  AdapterCatalog,
  type CatalogAlias,
  type CatalogSnapshot,
  type CatalogVersion,
} from './adapter-catalog.port.js';

const CHANNEL = 'adapter_catalog';
/** Signals make it quick; this makes it certain. */
const PAUSE_MS = 15_000;
const RETRY_MS = 1000;

interface Row {
  versions: (Omit<CatalogVersion, 'createdAt'> & { createdAt: string })[];
  aliases: CatalogAlias[];
}

/** One statement, so that versions and aliases are of one moment. */
const READ = `
SELECT
  (SELECT coalesce(jsonb_agg(jsonb_build_object('id', id, 'name', name, 'modelId', model_id, 'base', base,
      'baseHash', base_hash, 'method', method, 'rank', rank, 'path', path, 'bytes', bytes, 'domains', domains,
      'metrics', metrics, 'createdAt', created_at) ORDER BY seq DESC), '[]')
    FROM adapter_versions WHERE retired_at IS NULL) AS versions,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('alias', alias, 'versionId', version_id, 'splits',
      (SELECT coalesce(jsonb_agg(jsonb_build_object('versionId', s.version_id, 'weight', s.weight)), '[]')
        FROM jsonb_to_recordset(a.splits) AS s (version_id uuid, weight double precision))) ORDER BY alias), '[]')
    FROM adapter_aliases a) AS aliases`;

/** The registry in memory. */
@Injectable()
export class PostgresCatalog extends AdapterCatalog implements OnModuleInit, OnApplicationShutdown {
  readonly #listeners = new Set<() => void>();
  readonly #loop: BackgroundLoop;
  #snapshot: CatalogSnapshot | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #off: (() => void) | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(
    private readonly source: DataSource,
    private readonly wakeups: Wakeups,
    private readonly log: Log,
  ) {
    super();
    this.#loop = new BackgroundLoop('adapter catalog', PAUSE_MS, () => this.#round(), log);
  }

  /** Before anything that starts with the application asks. */
  async onModuleInit(): Promise<void> {
    this.#off = this.wakeups.on(CHANNEL, () => this.#loop.ring());
    await this.refresh();
    this.#loop.start();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#off?.();
    clearTimeout(this.#retry);
    await this.#loop.stop();
  }

  snapshot(): CatalogSnapshot {
    if (this.#snapshot) return this.#snapshot;
    throw new AppError('unavailable', 'The registry of adapters is being read; try again in a moment');
  }

  /** A reading that has begun may miss what was committed since: those who ask meanwhile share the one after it. */
  refresh(): Promise<void> {
    if (this.#running) return (this.#next ??= this.#running.catch(() => undefined).then(() => this.#begin()));
    return this.#begin();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #begin(): Promise<void> {
    this.#next = undefined;
    const running = this.#read().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #round(): Promise<void> {
    await this.refresh().catch((error: unknown) => {
      this.#retry = setTimeout(() => this.#loop.ring(), RETRY_MS).unref();
      throw error;
    });
  }

  async #read(): Promise<void> {
    const [row] = await rowsOf<Row>(this.source, READ);
    if (!row) throw new Error('PostgreSQL returned no row for the catalog');
    const versions = row.versions.map((version) => ({ ...version, createdAt: new Date(version.createdAt) }));
    const fresh: CatalogSnapshot = { versions, aliases: row.aliases };
    if (this.#snapshot && isDeepStrictEqual(fresh, this.#snapshot)) return;
    this.#snapshot = fresh;
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners)
      try {
        listener();
      } catch (error) {
        this.log.error('a listener of the adapter catalog failed', { error: String(error) });
      }
  }
}
