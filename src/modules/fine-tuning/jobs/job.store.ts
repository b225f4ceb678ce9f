import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppError } from '../../../kernel/errors.js';
import { inTransaction, rowsOf, type Sql } from '../../../kernel/transaction.js';
import { insertFile, type NewFile } from '../files/file.store.js';
import type { JobFailure, JobRow, JobRowState, NewJobRow } from './job-row.js';
import type { MetadataFilter } from './metadata.js';

export interface IdempotencyKey {
  subject: string;
  key: string;
  requestHash: string;
}

export interface JobPage {
  /** null: of everybody. */
  owner: string | null;
  limit: number;
  metadata: MetadataFilter;
}

class KeyTaken extends Error {}

const INSERT = `
INSERT INTO openai_jobs (id, state, model, request, metadata, training_file, validation_file, created_by, caller, place)
  VALUES ($1, 'validating', $2, $3, $4, $5, $6, $7, $8, $9) RETURNING *`;

/** The table behind /v1/fine_tuning/jobs. */
@Injectable()
export class JobRowStore {
  constructor(private readonly source: DataSource) {}

  /**
   * Records a job; a repeated idempotency key answers with the job of its first use.
   * @param beside runs in the same transaction
   */
  async create(job: NewJobRow, key: IdempotencyKey | undefined, beside: (sql: Sql) => Promise<void>): Promise<JobRow> {
    try {
      return await inTransaction(this.source, async (sql) => {
        await mustBeThere(sql, job);
        const row = await insert(sql, job);
        if (key && !(await insertKey(sql, key, job.id))) throw new KeyTaken();
        await beside(sql);
        return row;
      });
    } catch (error) {
      const first = key && error instanceof KeyTaken ? await this.repeated(key) : undefined;
      if (first) return first;
      throw error;
    }
  }

  /** The job of the key's first use. @throws AppError `conflict` where that was another request */
  async repeated(key: IdempotencyKey): Promise<JobRow | undefined> {
    const [first] = await rowsOf<JobRow & { request_hash: string }>(
      this.source,
      `SELECT j.*, k.request_hash FROM openai_idempotency_keys k JOIN openai_jobs j USING (id)
        WHERE k.subject = $1 AND k.key = $2`,
      [key.subject, key.key],
    );
    if (!first || first.request_hash === key.requestHash) return first;
    throw new AppError(
      'conflict',
      `Idempotency-Key "${key.key}" was used with another request before; use a new key for a new request`,
      [{ path: 'idempotency-key', message: 'was used with another request' }],
      { 'x-should-retry': 'false' },
    );
  }

  /** @param owner null: of anybody */
  async find(id: string, owner: string | null): Promise<JobRow | undefined> {
    const [row] = await rowsOf<JobRow>(
      this.source,
      'SELECT * FROM openai_jobs WHERE id = $1 AND ($2::text IS NULL OR created_by = $2)',
      [id, owner],
    );
    return row;
  }

  /** Newest first, behind the job with the sequence number `before`; one more than `limit` where there are more. */
  page({ owner, limit, metadata }: JobPage, before: number | undefined): Promise<JobRow[]> {
    const wanted = metadata === undefined || metadata === 'none' ? null : JSON.stringify(metadata);
    return rowsOf<JobRow>(
      this.source,
      `SELECT * FROM openai_jobs WHERE ($1::text IS NULL OR created_by = $1) AND ($2::bigint IS NULL OR seq < $2)
          AND ($3::jsonb IS NULL OR metadata @> $3) ${metadata === 'none' ? 'AND metadata IS NULL' : ''}
        ORDER BY seq DESC LIMIT $4`,
      [owner, before ?? null, wanted, limit + 1],
    );
  }

  /** The oldest jobs whose files this application has to check. */
  unchecked(place: string, limit: number): Promise<JobRow[]> {
    return rowsOf<JobRow>(
      this.source,
      `SELECT * FROM openai_jobs WHERE state = 'validating' AND place = $1 ORDER BY seq LIMIT $2`,
      [place, limit],
    );
  }

  /** Accepted jobs whose end is not written down. */
  open(place: string, limit: number, behind: number): Promise<JobRow[]> {
    return rowsOf<JobRow>(
      this.source,
      `SELECT * FROM openai_jobs WHERE ended_at IS NULL AND state = 'accepted' AND place = $1 AND seq > $3
        ORDER BY seq LIMIT $2`,
      [place, limit, behind],
    );
  }

  /** @returns undefined where the job is in none of the states any more: then nothing was written */
  async change(
    id: string,
    { from, to, beside }: { from: readonly JobRowState[]; to: JobRowState; beside?: (sql: Sql) => Promise<void> },
  ): Promise<JobRow | undefined> {
    return inTransaction(this.source, async (sql) => {
      const [row] = await rowsOf<JobRow>(
        sql,
        `UPDATE openai_jobs SET state = $3, ended_at = CASE WHEN $3 = 'cancelled' THEN now() END
          WHERE id = $1 AND state = ANY ($2) RETURNING *`,
        [id, from, to],
      );
      if (row) await beside?.(sql);
      return row;
    });
  }

  /**
   * Writes down the training job that was made of it.
   * @returns the state that it had: the training is to be paused where it was paused meanwhile; undefined where it was
   *   cancelled, and nothing was written
   */
  async accept(
    id: string,
    jobId: string,
    hyperparameters: JobRow['hyperparameters'],
  ): Promise<'validating' | 'paused' | undefined> {
    const [row] = await rowsOf<{ was: 'validating' | 'paused' }>(
      this.source,
      `UPDATE openai_jobs AS j SET state = 'accepted', job_id = $2, hyperparameters = $3
        FROM (SELECT id, state FROM openai_jobs WHERE id = $1 FOR UPDATE) AS old
        WHERE j.id = old.id AND old.state IN ('validating', 'paused') RETURNING old.state AS was`,
      [id, jobId, JSON.stringify(hyperparameters)],
    );
    return row?.was;
  }

  /** Before there is a training job. */
  async fail(id: string, error: JobFailure): Promise<void> {
    await this.source.query(
      `UPDATE openai_jobs SET state = 'failed', error = $2, ended_at = now() WHERE id = $1 AND state = 'validating'`,
      [id, JSON.stringify(error)],
    );
  }

  /** Writes down how the training job ended, with the file of its results. */
  async end(
    id: string,
    outcome: { endedAt: Date; fineTunedModel: string | null; results: NewFile | null },
  ): Promise<JobRow | undefined> {
    const { endedAt, fineTunedModel, results } = outcome;
    return inTransaction(this.source, async (sql) => {
      if (results) await insertFile(sql, results);
      const [row] = await rowsOf<JobRow>(
        sql,
        `UPDATE openai_jobs SET ended_at = $2, fine_tuned_model = $3, result_file = coalesce($4, result_file)
          WHERE id = $1 RETURNING *`,
        [id, endedAt, fineTunedModel, results?.id ?? null],
      );
      return row;
    });
  }

  /** Keys that nobody repeats any more. */
  async forgetKeys(days: number): Promise<void> {
    await this.source.query(
      `DELETE FROM openai_idempotency_keys WHERE created_at < now() - make_interval(days => $1)`,
      [days],
    );
  }
}

/** A deletion holds the lock of its file: what is here now stays until the job is written. @throws AppError `not_found` */
async function mustBeThere(sql: Sql, { training_file, validation_file }: NewJobRow): Promise<void> {
  const ids = validation_file === null ? [training_file] : [training_file, validation_file];
  const rows = await rowsOf<{ id: string }>(
    sql,
    'SELECT id FROM openai_files WHERE id = ANY ($1) AND deleted_at IS NULL FOR SHARE',
    [ids],
  );
  const gone = ids.find((id) => !rows.some((row) => row.id === id));
  if (gone === undefined) return;
  const path = gone === training_file ? 'training_file' : 'validation_file';
  throw new AppError('not_found', `${path}: there is no file ${gone}`, [{ path, message: 'there is no such file' }]);
}

async function insert(sql: Sql, job: NewJobRow): Promise<JobRow> {
  const [row] = await rowsOf<JobRow>(sql, INSERT, [
    job.id,
    job.model,
    JSON.stringify(job.request),
    job.metadata === null ? null : JSON.stringify(job.metadata),
    job.training_file,
    job.validation_file,
    job.created_by,
    JSON.stringify(job.caller),
    job.place,
  ]);
  if (!row) throw new Error('PostgreSQL returned no row for an INSERT');
  return row;
}

async function insertKey(sql: Sql, { subject, key, requestHash }: IdempotencyKey, id: string): Promise<boolean> {
  const taken = await rowsOf(
    sql,
    `INSERT INTO openai_idempotency_keys (subject, key, id, request_hash) VALUES ($1, $2, $3, $4)
      ON CONFLICT DO NOTHING RETURNING key`,
    [subject, key, id, requestHash],
  );
  return taken.length > 0;
}
