import { Injectable } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import { messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { isDatabaseAway } from '../../kernel/transaction.js';
import { AdapterCatalog, type CatalogVersion } from '../adapters/adapter-catalog.port.js';
import { meantBy, rankWanted, type RankedRow } from './rank-wanted.js';
import { WantedStore, type WantedRow } from './wanted.store.js';

const FLUSH_MS = 30_000;
const BY_REQUESTS = 'requests';

/** What replicas should hold, in memory; the database is behind by what was used in the last half minute. */
@Injectable()
export class WantedAdapters {
  readonly #listeners = new Set<() => void>();
  #rows = new Map<string, WantedRow>();
  readonly #used = new Map<string, number>();
  /** Versions that an alias is about to mean. */
  readonly #coming = new Set<{ versionId: string }>();
  #flushedAt: number;

  constructor(
    private readonly store: WantedStore,
    private readonly catalog: AdapterCatalog,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.#flushedAt = clock.now();
  }

  /** Calls back where something is wanted, or not any more. @returns what undoes it */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async refresh(): Promise<void> {
    this.#rows = new Map((await this.store.all()).map((row) => [row.version_id, row]));
  }

  row(versionId: string): WantedRow | undefined {
    return this.#rows.get(versionId);
  }

  /** The aliases that mean a version, also with a share only. */
  aliasesOf(versionId: string): string[] {
    const { aliases } = this.catalog.snapshot();
    return aliases
      .filter((alias) => alias.versionId === versionId || alias.splits.some((split) => split.versionId === versionId))
      .map(({ alias }) => alias);
  }

  /** While the work runs, the version counts as one that an alias means: it is loaded before the alias moves. */
  async coming<T>(versionId: string, work: () => Promise<T>): Promise<T> {
    const coming = { versionId };
    this.#coming.add(coming);
    try {
      return await work();
    } finally {
      this.#coming.delete(coming);
    }
  }

  importance(versionId: string): 0 | 1 | 2 {
    if (this.#rows.get(versionId)?.pinned) return 2;
    return this.#meant().has(versionId) ? 1 : 0;
  }

  /** Of a base, the most important first, and among equals the last used. */
  ranked(base: string): CatalogVersion[] {
    const { versions } = this.catalog.snapshot();
    const rows = new Map<string, RankedRow>(
      [...this.#rows].map(([id, row]) => [id, { ...row, lastUsed: this.#lastUsed(row) }]),
    );
    return rankWanted(
      versions.filter((version) => version.base === base),
      this.#meant(),
      rows,
    );
  }

  /** A request needs it. What nobody wanted so far is wanted from now on. */
  use(versionId: string): void {
    this.#used.set(versionId, this.clock.now());
    if (this.#rows.get(versionId)?.wanted) return;
    const now = new Date(this.clock.now());
    const row = { version_id: versionId, how: 'used', wanted_by: BY_REQUESTS, wanted: true, pinned: false } as const;
    this.#rows.set(versionId, { ...row, wanted_at: now, last_used: now });
    this.#tell();
    void this.store
      .want({ versionId, how: 'used', by: BY_REQUESTS })
      .then(() => this.store.announce())
      .catch((error: unknown) => {
        if (!isDatabaseAway(error)) this.log.warn('a wanted adapter was not recorded', { error: messageOf(error) });
      });
  }

  /** Something was committed: reads it, and tells everybody. */
  async changed(): Promise<void> {
    await this.refresh();
    this.#tell();
    await this.store.announce();
  }

  /** It needs no place any more, until somebody asks for it. */
  async forget(versionId: string): Promise<void> {
    await this.store.forget(versionId);
    await this.changed();
  }

  /** Writes down what was used, now and then. */
  async flush(): Promise<void> {
    const now = this.clock.now();
    if (now - this.#flushedAt < FLUSH_MS) return;
    this.#flushedAt = now;
    const used = new Map(this.#used);
    this.#used.clear();
    await this.store.used(used);
  }

  #meant(): Set<string> {
    const coming = [...this.#coming].map(({ versionId }) => versionId);
    return new Set([...meantBy(this.catalog.snapshot().aliases), ...coming]);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #lastUsed(row: WantedRow): number {
    return Math.max(row.last_used.getTime(), this.#used.get(row.version_id) ?? 0);
  }
}
