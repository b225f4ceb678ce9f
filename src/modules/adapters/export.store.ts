import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppError } from '../../kernel/errors.js';
import { inTransaction, rowsOf, type Sql } from '../../kernel/transaction.js';
import { isUuid } from '../../kernel/uuid.js';
import type { AdapterFile } from './adapter-versions.port.js';
import type { ExportFormat } from './exporter.port.js';

const exportStates = ['pending', 'running', 'completed', 'failed', 'cancelled'] as const;
export type ExportState = (typeof exportStates)[number];

export interface ExportRecord {
  id: string;
  seq: number;
  version_id: string;
  format: ExportFormat;
  state: ExportState;
  phase: string | null;
  /** 0 to 1. */
  progress: number;
  error: string | null;
  /** The data folder whose application makes it. */
  place: string;
  claimed_by: string | null;
  attempt: number;
  files: AdapterFile[];
  bytes: number;
  created_by: string;
  created_at: Date;
  started_at: Date | null;
  completed_at: Date | null;
  cancel_requested_at: Date | null;
  files_removed_at: Date | null;
}

export type ExportEnd =
  | { state: 'completed'; files: AdapterFile[]; bytes: number }
  | { state: 'failed'; error: string }
  | { state: 'cancelled' }
  /** The application ends; the next one makes it. */
  | { state: 'pending' };

const MOST_ATTEMPTS = 3;

/** Export jobs. A data folder has one application that makes one at a time: what runs when it claims is left over. */
@Injectable()
export class ExportStore {
  constructor(private readonly source: DataSource) {}

  /** The one that is there or on its way, else a new one, whose audit row `record` writes. */
  async request(
    wanted: Pick<ExportRecord, 'version_id' | 'format' | 'place' | 'created_by'>,
    record: (sql: Sql, id: string) => Promise<void>,
  ): Promise<ExportRecord> {
    return inTransaction(this.source, async (sql) => {
      const { version_id: versionId, format, place, created_by: by } = wanted;
      // The version's row lock lets two requests share one export, and none begin behind a retiring.
      await sql.query('SELECT 1 FROM adapter_versions WHERE id = $1 AND retired_at IS NULL FOR UPDATE', [versionId]);
      const [present] = await rowsOf<ExportRecord>(
        sql,
        `SELECT * FROM adapter_exports WHERE version_id = $1 AND format = $2 AND files_removed_at IS NULL
          AND cancel_requested_at IS NULL AND state IN ('pending', 'running', 'completed') ORDER BY seq DESC LIMIT 1`,
        [versionId, format],
      );
      if (present) return present;
      const [made] = await rowsOf<ExportRecord>(
        sql,
        `INSERT INTO adapter_exports (id, version_id, format, state, place, created_by)
          SELECT $1, id, $3, 'pending', $4, $5 FROM adapter_versions WHERE id = $2 AND retired_at IS NULL RETURNING *`,
        [randomUUID(), versionId, format, place, by],
      );
      if (!made) throw new AppError('conflict', 'The adapter is retired: its files are gone');
      await record(sql, made.id);
      return made;
    });
  }

  async of(versionId: string): Promise<ExportRecord[]> {
    return rowsOf(this.source, 'SELECT * FROM adapter_exports WHERE version_id = $1 ORDER BY seq DESC LIMIT 100', [
      versionId,
    ]);
  }

  async byId(versionId: string, id: string): Promise<ExportRecord | undefined> {
    if (!isUuid(id)) return undefined;
    const [row] = await rowsOf<ExportRecord>(
      this.source,
      'SELECT * FROM adapter_exports WHERE version_id = $1 AND id = $2',
      [versionId, id],
    );
    return row;
  }

  /** Ends a waiting one at once, and asks the owner of a running one to. @returns false: it has ended */
  async cancel(id: string, record: (sql: Sql) => Promise<void>): Promise<boolean> {
    return inTransaction(this.source, async (sql) => {
      const rows = await rowsOf(
        sql,
        `UPDATE adapter_exports SET cancel_requested_at = coalesce(cancel_requested_at, now()),
            state = CASE state WHEN 'pending' THEN 'cancelled' ELSE state END,
            completed_at = CASE state WHEN 'pending' THEN now() END
          WHERE id = $1 AND state IN ('pending', 'running') RETURNING id`,
        [id],
      );
      if (rows.length > 0) await record(sql);
      return rows.length > 0;
    });
  }

  /** @returns false: its files were removed already, or it has none */
  async forget(id: string, record: (sql: Sql) => Promise<void>): Promise<boolean> {
    return inTransaction(this.source, async (sql) => {
      const rows = await rowsOf(
        sql,
        `UPDATE adapter_exports SET files_removed_at = now()
          WHERE id = $1 AND state = 'completed' AND files_removed_at IS NULL RETURNING id`,
        [id],
      );
      if (rows.length > 0) await record(sql);
      return rows.length > 0;
    });
  }

  /** The next one of this place; what was tried too often is failed on the way. */
  async claim(owner: string, place: string): Promise<ExportRecord | undefined> {
    await this.source.query(
      `UPDATE adapter_exports SET state = CASE WHEN cancel_requested_at IS NULL THEN 'failed' ELSE 'cancelled' END,
          completed_at = now(), error = CASE WHEN cancel_requested_at IS NULL THEN 'the application ended during each of its attempts' END
        WHERE place = $1 AND state IN ('pending', 'running') AND (attempt >= $2 OR cancel_requested_at IS NOT NULL)`,
      [place, MOST_ATTEMPTS],
    );
    const [row] = await rowsOf<ExportRecord>(
      this.source,
      `UPDATE adapter_exports SET state = 'running', claimed_by = $1, attempt = attempt + 1, started_at = now(),
          progress = 0, phase = NULL
        WHERE id = (SELECT id FROM adapter_exports WHERE place = $2
            AND state IN ('pending', 'running') ORDER BY seq LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING *`,
      [owner, place],
    );
    return row;
  }

  /** @returns whether somebody wants it cancelled */
  async progress(id: string, phase: string | null, progress: number): Promise<boolean> {
    const [row] = await rowsOf<{ cancelled: boolean }>(
      this.source,
      `UPDATE adapter_exports SET phase = $2, progress = $3 WHERE id = $1 RETURNING cancel_requested_at IS NOT NULL AS cancelled`,
      [id, phase, progress],
    );
    return row?.cancelled ?? true;
  }

  /** A wish to cancel that came meanwhile wins. @returns the state that it has now */
  async end(id: string, owner: string, end: ExportEnd): Promise<ExportState | undefined> {
    const done = end.state === 'completed' ? end : { files: [], bytes: 0 };
    const [row] = await rowsOf<{ state: ExportState }>(
      this.source,
      `UPDATE adapter_exports SET
          state = CASE WHEN cancel_requested_at IS NOT NULL THEN 'cancelled' ELSE $3::text END,
          error = $4, files = $5::jsonb, bytes = $6, completed_at = CASE $3::text WHEN 'pending' THEN NULL ELSE now() END,
          attempt = attempt - CASE $3::text WHEN 'pending' THEN 1 ELSE 0 END,
          progress = CASE $3::text WHEN 'completed' THEN 1 ELSE progress END, phase = NULL
        WHERE id = $1 AND claimed_by = $2 AND state = 'running' RETURNING state`,
      [id, owner, end.state, end.state === 'failed' ? end.error : null, JSON.stringify(done.files), done.bytes],
    );
    return row?.state;
  }
}
