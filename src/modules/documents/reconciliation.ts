import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { rowsOf } from '../../kernel/transaction.js';
import type { Holding } from './replica.port.js';
import type { StoreTarget } from './store-target.js';
import { StoreTargets } from './store-targets.js';

/** What a store lacks, has too much, or has of another version. */
export interface Drift {
  store: string;
  /** Documents that were compared. */
  compared: number;
  missing: string[];
  differing: string[];
  orphaned: string[];
  /** Why the store could not be compared; null: it was. */
  error: string | null;
}

const PAGE = 500;

/** Compares every store with the documents, and asks it again for what is not as it should be. */
@Injectable()
export class Reconciliation {
  constructor(
    private readonly source: DataSource,
    private readonly targets: StoreTargets,
  ) {}

  /** @param mend false: only looks */
  async run(mend: 'mend' | 'look'): Promise<Drift[]> {
    const drifts: Drift[] = [];
    for (const target of this.targets.all) drifts.push(await this.#compare(target, mend));
    return drifts;
  }

  async #compare(target: StoreTarget, mend: 'mend' | 'look'): Promise<Drift> {
    const drift: Drift = { store: target.key, compared: 0, missing: [], differing: [], orphaned: [], error: null };
    try {
      await target.check();
      const held = await holdingsOf(target);
      await this.#against(held, target, drift);
    } catch (error) {
      return { ...drift, error: error instanceof Error ? error.message : String(error) };
    }
    if (mend === 'mend') await this.#ask(target, [...drift.missing, ...drift.differing, ...drift.orphaned]);
    return drift;
  }

  /** What waits for the store anyway is no drift. */
  async #against(held: Map<string, Holding>, { key }: StoreTarget, drift: Drift): Promise<void> {
    for (let after: string | null = null; ;) {
      const rows: { document_id: string; version: number; chunks: number; waits: boolean }[] = await rowsOf(
        this.source,
        `SELECT d.document_id, d.version, v.chunks, EXISTS (SELECT FROM documents_replica r
            WHERE r.document_id = d.document_id AND r.store = $1 AND r.wanted > r.applied) AS waits
          FROM documents_document d JOIN documents_version v USING (document_id, version)
          WHERE $2::uuid IS NULL OR d.document_id > $2 ORDER BY d.document_id LIMIT ${PAGE}`,
        [key, after],
      );
      for (const { document_id, version, chunks, waits } of rows) {
        const holding = held.get(document_id);
        held.delete(document_id);
        drift.compared += 1;
        if (waits) continue;
        if (!holding) drift.missing.push(document_id);
        else if (holding.version !== version || holding.chunks !== chunks) drift.differing.push(document_id);
      }
      const last = rows.at(-1);
      if (!last || rows.length < PAGE) break;
      after = last.document_id;
    }
    drift.orphaned.push(...held.keys());
  }

  /** A document that is no more is removed by the same way. */
  async #ask({ key }: StoreTarget, documentIds: string[]): Promise<void> {
    await this.source.query(
      `INSERT INTO documents_replica (store, document_id) SELECT $1, unnest($2::uuid[])
        ON CONFLICT (store, document_id)
        DO UPDATE SET wanted = documents_replica.wanted + 1, attempts = 0, error = NULL, next_at = now()`,
      [key, documentIds],
    );
  }
}

async function holdingsOf(target: StoreTarget): Promise<Map<string, Holding>> {
  const held = new Map<string, Holding>();
  for (let after: string | null = null; ;) {
    const page: Holding[] = await target.holdings(after, PAGE);
    for (const holding of page) held.set(holding.documentId, holding);
    const last = page.at(-1);
    if (!last || page.length < PAGE) return held;
    after = last.documentId;
  }
}
