import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { rowsOf } from '../../kernel/transaction.js';
import type { Split } from './version-row.js';

/** Where rows stand in rows.jsonl. */
export interface PlacedIndex {
  ordinal: number;
  place: number;
  size: number;
}

export interface LineageRow {
  ordinal: number;
  split: Split;
  /** Hexadecimal. */
  hash: string;
  source: string;
  document_id: string | null;
  document_version: number | null;
  chunk_id: string | null;
  relevance: number | null;
  quality: number;
  made_by: Record<string, string> | null;
}

export interface DocumentShare {
  document_id: string;
  document_version: number | null;
  rows: number;
}

export type Change = 'added' | 'removed';

export interface DiffRow extends PlacedIndex {
  change: Change;
  hash: string;
}

/** Equal rows are told apart by their number, so that one of two that is gone counts as removed. */
const NUMBERED = `SELECT ordinal, place, size, hash, row_number() OVER (PARTITION BY hash ORDER BY ordinal) AS copy
  FROM dataset_rows WHERE build =`;

/** The index of the rows of completed versions. */
@Injectable()
export class RowIndexStore {
  constructor(private readonly source: DataSource) {}

  /** In order, from `from` on. */
  async places(build: string, from: number, limit: number, split: Split | null): Promise<PlacedIndex[]> {
    return rowsOf<PlacedIndex>(
      this.source,
      `SELECT ordinal, place, size FROM dataset_rows
        WHERE build = $1 AND ordinal >= $2 AND ($4::text IS NULL OR split = $4) ORDER BY ordinal LIMIT $3`,
      [build, from, limit, split],
    );
  }

  async lineage(build: string, from: number, limit: number): Promise<LineageRow[]> {
    return rowsOf<LineageRow>(
      this.source,
      `SELECT ordinal, split, encode(hash, 'hex') AS hash, source, document_id, document_version, chunk_id, relevance,
          quality, made_by
        FROM dataset_rows WHERE build = $1 AND ordinal >= $2 ORDER BY ordinal LIMIT $3`,
      [build, from, limit],
    );
  }

  /** The documents that most rows came from. */
  async documents(build: string, limit: number): Promise<DocumentShare[]> {
    return rowsOf<DocumentShare>(
      this.source,
      `SELECT document_id, document_version, count(*)::int AS rows FROM dataset_rows
        WHERE build = $1 AND document_id IS NOT NULL GROUP BY document_id, document_version
        ORDER BY rows DESC, document_id LIMIT $2`,
      [build, limit],
    );
  }

  async diffCounts(from: string, to: string): Promise<{ added: number; removed: number; unchanged: number }> {
    const [row] = await rowsOf<{ added: number; removed: number; unchanged: number }>(
      this.source,
      `SELECT count(*) FILTER (WHERE a.hash IS NULL)::int AS added, count(*) FILTER (WHERE b.hash IS NULL)::int AS removed,
          count(*) FILTER (WHERE a.hash IS NOT NULL AND b.hash IS NOT NULL)::int AS unchanged
        FROM (${NUMBERED} $1) a FULL JOIN (${NUMBERED} $2) b USING (hash, copy)`,
      [from, to],
    );
    return row ?? { added: 0, removed: 0, unchanged: 0 };
  }

  /** The first rows that one version has and the other has not. */
  async diffRows(from: string, to: string, change: Change, limit: number): Promise<DiffRow[]> {
    const [has, lacks] = change === 'added' ? [to, from] : [from, to];
    return rowsOf<DiffRow>(
      this.source,
      `SELECT $4::text AS change, encode(a.hash, 'hex') AS hash, a.ordinal, a.place, a.size FROM (${NUMBERED} $1) a
        LEFT JOIN (${NUMBERED} $2) b USING (hash, copy) WHERE b.ordinal IS NULL ORDER BY a.ordinal LIMIT $3`,
      [has, lacks, limit, change],
    );
  }
}
