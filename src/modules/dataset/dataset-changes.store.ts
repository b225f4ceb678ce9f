import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppError } from '../../kernel/errors.js';
import { inTransaction, rowsOf, type Sql } from '../../kernel/transaction.js';
import type { StoredFile, VersionOptions, VersionSource } from './dataset-record.js';
import type { Caller, Stored } from '../security/principal.port.js';

export interface NewDataset {
  datasetId: string;
  name: string;
  description: string;
  readers: string[];
}

export interface NewVersion {
  source: VersionSource;
  options: VersionOptions;
  queryText: string | null;
  caller: Stored<Caller>;
  /** Of the data folder, where a file in it is the source. */
  place: string | null;
}

export interface IdempotencyKey {
  subject: string;
  key: string;
  requestHash: string;
}

export interface Made {
  datasetId: string;
  version: number;
}

class KeyTaken extends Error {}

/** Of `audit_record`; null where no trail is kept. */
type AuditRow = string | null;

const recorded = async (sql: Sql, audit: AuditRow): Promise<void> => {
  if (audit !== null) await sql.query('SELECT audit_record($1::jsonb)', [audit]);
};

/** Every change that a person asks for, each with its audit row in one transaction. */
@Injectable()
export class DatasetChangesStore {
  constructor(private readonly source: DataSource) {}

  /** Records a set and its first version as pending. */
  async create(set: NewDataset, version: NewVersion, audit: AuditRow, key?: IdempotencyKey): Promise<Made> {
    return this.#once(key, async (sql) => {
      await sql.query(
        `INSERT INTO dataset_sets (dataset_id, name, description, owner, readers, status) VALUES ($1, $2, $3, $4, $5, 'pending')`,
        [set.datasetId, set.name, set.description, version.caller.subject, set.readers],
      );
      await insertVersion(sql, set.datasetId, 1, version);
      await recorded(sql, audit);
      return { datasetId: set.datasetId, version: 1 };
    });
  }

  /** Records a further version as pending. @throws AppError `not_found` where the set was deleted meanwhile */
  async addVersion(datasetId: string, version: NewVersion, audit: AuditRow, key?: IdempotencyKey): Promise<Made> {
    return this.#once(key, async (sql) => {
      const [set] = await rowsOf<{ latest: number }>(
        sql,
        `UPDATE dataset_sets SET latest = latest + 1, status = 'pending', updated_at = now()
          WHERE dataset_id = $1 AND deleted_at IS NULL RETURNING latest`,
        [datasetId],
      );
      if (!set) throw new AppError('not_found', `Dataset not found: ${datasetId}`);
      await insertVersion(sql, datasetId, set.latest, version);
      await recorded(sql, audit);
      return { datasetId, version: set.latest };
    });
  }

  /** What the key's first use made. @throws AppError `conflict` where that was another request */
  async repeated(key: IdempotencyKey): Promise<Made | undefined> {
    const [first] = await rowsOf<{ dataset_id: string; version: number; request_hash: string }>(
      this.source,
      'SELECT dataset_id, version, request_hash FROM dataset_idempotency_keys WHERE subject = $1 AND key = $2',
      [key.subject, key.key],
    );
    if (!first) return undefined;
    if (first.request_hash === key.requestHash) return { datasetId: first.dataset_id, version: first.version };
    throw new AppError(
      'conflict',
      `Idempotency-Key "${key.key}" was used with another request before; use a new key for a new request`,
    );
  }

  /** Ends a waiting version at once, and asks the builder of a running one to end. @returns whether there was one */
  async cancel(datasetId: string, number: number, by: string, audit: AuditRow): Promise<boolean> {
    return inTransaction(this.source, async (sql) => {
      const rows = await cancelOpen(sql, datasetId, by, number);
      if (rows > 0) await recorded(sql, audit);
      return rows > 0;
    });
  }

  /** Takes a set out of every list; its files and rows go a little later. @returns false: it was gone already */
  async remove(datasetId: string, by: string, audit: AuditRow): Promise<boolean> {
    return inTransaction(this.source, async (sql) => {
      const gone = await rowsOf(
        sql,
        `UPDATE dataset_sets SET deleted_at = now(), updated_at = now()
          WHERE dataset_id = $1 AND deleted_at IS NULL RETURNING dataset_id`,
        [datasetId],
      );
      if (gone.length === 0) return false;
      await cancelOpen(sql, datasetId, by, null);
      await recorded(sql, audit);
      return true;
    });
  }

  /** Remembers an exported file; the rows of a version never change, so neither does the file. */
  async addExport(of: Made, name: string, file: StoredFile, audit: AuditRow): Promise<void> {
    await inTransaction(this.source, async (sql) => {
      await sql.query(
        `UPDATE dataset_versions SET exports = exports || jsonb_build_object($3::text, $4::jsonb)
          WHERE dataset_id = $1 AND number = $2`,
        [of.datasetId, of.version, name, JSON.stringify(file)],
      );
      await recorded(sql, audit);
    });
  }

  async #once(key: IdempotencyKey | undefined, work: (sql: Sql) => Promise<Made>): Promise<Made> {
    if (!key) return inTransaction(this.source, work);
    try {
      return await inTransaction(this.source, async (sql) => {
        const made = await work(sql);
        const taken = await rowsOf(
          sql,
          `INSERT INTO dataset_idempotency_keys (subject, key, dataset_id, version, request_hash) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT DO NOTHING RETURNING key`,
          [key.subject, key.key, made.datasetId, made.version, key.requestHash],
        );
        if (taken.length === 0) throw new KeyTaken();
        return made;
      });
    } catch (error) {
      const first = error instanceof KeyTaken ? await this.repeated(key) : undefined;
      if (first) return first;
      throw error;
    }
  }
}

async function insertVersion(sql: Sql, datasetId: string, number: number, version: NewVersion): Promise<void> {
  await sql.query(
    `INSERT INTO dataset_versions (dataset_id, number, state, source, options, query_text, created_by, caller, place)
      VALUES ($1, $2, 'pending', $3::jsonb, $4::jsonb, $5, $6, $7::jsonb, $8)`,
    [
      datasetId,
      number,
      JSON.stringify(version.source),
      JSON.stringify(version.options),
      version.queryText,
      version.caller.subject,
      JSON.stringify(version.caller),
      version.place,
    ],
  );
}

/** @param number null: all versions of the set */
async function cancelOpen(sql: Sql, datasetId: string, by: string, number: number | null): Promise<number> {
  const rows = await rowsOf<{ number: number; state: string }>(
    sql,
    `UPDATE dataset_versions SET cancel_requested_at = now(), cancelled_by = $2,
        state = CASE state WHEN 'pending' THEN 'failed' ELSE state END,
        error = CASE state WHEN 'pending' THEN 'the build was cancelled' ELSE error END,
        completed_at = CASE state WHEN 'pending' THEN now() ELSE completed_at END,
        caller = CASE state WHEN 'pending' THEN NULL ELSE caller END
      WHERE dataset_id = $1 AND ($3::int IS NULL OR number = $3) AND state IN ('pending', 'processing')
        AND cancel_requested_at IS NULL
      RETURNING number, state`,
    [datasetId, by, number],
  );
  for (const row of rows.filter(({ state }) => state === 'failed'))
    await sql.query(`UPDATE dataset_sets SET status = 'failed' WHERE dataset_id = $1 AND latest = $2`, [
      datasetId,
      row.number,
    ]);
  return rows.length;
}
