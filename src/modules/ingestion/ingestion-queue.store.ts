import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { inTransaction, rowsOf, type Sql } from '../../kernel/transaction.js';
import type { Published } from '../documents/document-publication.port.js';
import type { UnreadableFile } from '../documents/document-parser.port.js';
import { type FileCounts, fileStatuses, jobStateOf } from './file-state.js';
import type { FileRow, JobRow } from './ingestion.entity.js';
import { IngestionNews } from './ingestion-news.js';
import type { StagedFile } from './original-files.js';

export type NamedFile = StagedFile & { name: string; depth?: number };

const LEASE_SECONDS = 30;
/** A file whose reading failed this often, for no fault of its own, is given up. */
export const MOST_ATTEMPTS = 3;
/** A file that ended the application this often is not read again by itself. */
export const MOST_CRASHES = 3;
/** A file whose stores do not come round counts as taken in after this; `pending` says what is missing. */
const INDEXING_HOURS = 1;

/** One that is processed already was left by a process that ended. Of two files of one name the later waits for the earlier. */
const CLAIM = `
UPDATE ingestion_file SET status = 'processing', attempts = attempts + 1, crashes = crashes + (status = 'processing')::int,
    progress = NULL,
    lease_owner = $1, updated_at = now(), not_before = now() + make_interval(secs => ${LEASE_SECONDS})
  WHERE file_id = (
    SELECT f.file_id FROM ingestion_file f JOIN ingestion_job j USING (job_id)
      WHERE f.status IN ('pending', 'processing') AND f.not_before <= now() AND NOT EXISTS (
        SELECT FROM ingestion_file earlier JOIN ingestion_job its ON its.job_id = earlier.job_id
          WHERE earlier.name = f.name AND earlier.seq < f.seq AND earlier.status IN ('pending', 'processing')
            AND its.created_by = j.created_by)
      ORDER BY f.not_before, f.seq LIMIT 1 FOR UPDATE OF f SKIP LOCKED)
  RETURNING *`;

/** The files that wait to be read, and what becomes of them; every change of a file settles its job in the same transaction. */
@Injectable()
export class IngestionQueue {
  constructor(
    private readonly source: DataSource,
    private readonly news: IngestionNews,
  ) {}

  async claim(owner: string): Promise<FileRow | undefined> {
    const claimed = await inTransaction(this.source, async (sql) => {
      const [file] = await rowsOf<FileRow>(sql, CLAIM, [owner]);
      return file && { file, isNews: await settleJob(sql, file.job_id) };
    });
    if (claimed?.isNews) this.news.changed(claimed.file.job_id);
    return claimed?.file;
  }

  async jobOf({ job_id }: FileRow): Promise<JobRow | undefined> {
    const [job] = await rowsOf<JobRow>(this.source, 'SELECT * FROM ingestion_job WHERE job_id = $1', [job_id]);
    return job;
  }

  /** False where the file was cancelled, or is another's by now. */
  async renew(fileId: string, owner: string): Promise<boolean> {
    const rows = await rowsOf(
      this.source,
      `UPDATE ingestion_file SET not_before = now() + make_interval(secs => ${LEASE_SECONDS})
        WHERE file_id = $1 AND lease_owner = $2 AND status = 'processing' RETURNING file_id`,
      [fileId, owner],
    );
    return rows.length > 0;
  }

  /** How far the reading of a file is, which takes long. */
  async progress(file: FileRow, owner: string, progress: string): Promise<void> {
    await this.source.query(
      `UPDATE ingestion_file SET progress = $3, updated_at = now()
        WHERE file_id = $1 AND lease_owner = $2 AND status = 'processing'`,
      [file.file_id, owner, progress],
    );
    this.news.changed(file.job_id);
  }

  /** The document is written; the file waits for the stores. */
  async published(file: FileRow, owner: string, published: Published): Promise<void> {
    await this.#change(
      file,
      owner,
      `status = 'indexing', document_id = $3, version = $4, chunks = $5, characters = $6, warnings = $7, path = NULL,
        reason = NULL, error_message = NULL`,
      [published.documentId, published.version, published.chunks, published.characters, published.warnings],
    );
  }

  async failed(
    file: FileRow,
    owner: string,
    error: { reason: UnreadableFile['reason'] | 'internal'; message: string },
  ): Promise<void> {
    await this.#change(file, owner, `status = 'failed', reason = $3, error_message = $4`, [
      error.reason,
      error.message.slice(0, 2000),
    ]);
  }

  /** Too often claimed and never ended: it is left alone until somebody unblocks it. */
  async blocked(file: FileRow, owner: string): Promise<void> {
    const message = `the application ended ${MOST_CRASHES} times while it read this file; POST /files/${file.file_id}/unblock tries again`;
    await this.#change(file, owner, `status = 'blocked', reason = 'crashed', error_message = $3`, [message]);
  }

  /** Puts a file back as if it had never been claimed. */
  async putBack(file: FileRow, owner: string): Promise<void> {
    await this.#change(file, owner, `status = 'pending', attempts = attempts - 1, not_before = now()`, []);
  }

  /** The attempt counts; the next one comes after `seconds`. */
  async later(file: FileRow, owner: string, seconds: number): Promise<void> {
    await this.#change(file, owner, `status = 'pending', not_before = now() + make_interval(secs => $3)`, [seconds]);
  }

  /** The files of an archive take its place. */
  async unpacked(file: FileRow, owner: string, entries: NamedFile[]): Promise<void> {
    await inTransaction(this.source, async (sql) => {
      const changed = await rowsOf(
        sql,
        `UPDATE ingestion_file SET status = 'unpacked', lease_owner = NULL, path = NULL, updated_at = now()
          WHERE file_id = $1 AND lease_owner = $2 RETURNING file_id`,
        [file.file_id, owner],
      );
      if (changed.length === 0) return;
      await insertFiles(sql, file.job_id, entries);
      await settleJob(sql, file.job_id);
    });
    this.news.changed(file.job_id);
  }

  /** Files whose stores have all answered, well or badly, are done. Answers how many. */
  async settleIndexed(): Promise<number> {
    const waiting = await rowsOf(this.source, `SELECT 1 FROM ingestion_file WHERE status = 'indexing' LIMIT 1`);
    if (waiting.length === 0) return 0;
    const jobs = await inTransaction(this.source, async (sql) => {
      const rows = await rowsOf<{ job_id: string }>(
        sql,
        `UPDATE ingestion_file f SET status = 'completed', updated_at = now()
          WHERE status = 'indexing' AND (updated_at < now() - make_interval(hours => ${INDEXING_HOURS}) OR NOT EXISTS (
            SELECT FROM documents_replica r WHERE r.document_id = f.document_id AND r.wanted > r.applied AND r.error IS NULL))
          RETURNING job_id`,
      );
      const ids = [...new Set(rows.map(({ job_id }) => job_id))].toSorted();
      for (const id of ids) await settleJob(sql, id);
      return ids;
    });
    for (const id of jobs) this.news.changed(id);
    return jobs.length;
  }

  async #change(file: FileRow, owner: string, set: string, values: unknown[]): Promise<void> {
    await inTransaction(this.source, async (sql) => {
      await sql.query(
        `UPDATE ingestion_file SET ${set}, progress = NULL, lease_owner = NULL, updated_at = now() WHERE file_id = $1 AND lease_owner = $2`,
        [file.file_id, owner, ...values],
      );
      await settleJob(sql, file.job_id);
    });
    this.news.changed(file.job_id);
  }
}

/** Brings a job up to what its files say, in a transaction; true where its state is another than before. */
export async function settleJob(sql: Sql, jobId: string): Promise<boolean> {
  const [job] = await rowsOf<JobRow>(sql, 'SELECT * FROM ingestion_job WHERE job_id = $1 FOR UPDATE', [jobId]);
  if (!job) return false;
  const rows = await rowsOf<{ status: keyof FileCounts; files: number }>(
    sql,
    `SELECT status, count(*)::int AS files FROM ingestion_file WHERE job_id = $1 GROUP BY status`,
    [jobId],
  );
  const none = Object.fromEntries(fileStatuses.map((status) => [status, 0]));
  const counts = Object.assign(
    none,
    Object.fromEntries(rows.map(({ status, files }) => [status, files])),
  ) as FileCounts;
  const state = jobStateOf(counts, job.recovered);
  const isOpen = state.status === 'pending' || state.status === 'processing';
  await sql.query(
    `UPDATE ingestion_job SET status = $2, file_count = $3, processed_files = $4, failed_files = $5, error_message = $6,
        updated_at = now(), completed_at = CASE WHEN $7 THEN NULL ELSE coalesce(completed_at, now()) END
      WHERE job_id = $1`,
    [jobId, state.status, state.fileCount, state.processed, state.failed, state.error, isOpen],
  );
  return state.status !== job.status;
}

/** Files that the job has by name already stay as they are: so a step that is repeated adds nothing twice. */
export async function insertFiles(sql: Sql, jobId: string, files: NamedFile[]): Promise<void> {
  const rows = files.map((file) => ({ depth: 0, ...file, file_id: randomUUID() }));
  await sql.query(
    `INSERT INTO ingestion_file (file_id, job_id, name, path, bytes, sha256, status, depth)
      SELECT row.file_id, $1, row.name, row.path, row.bytes, row.sha256, 'pending', row.depth
        FROM jsonb_to_recordset($2::jsonb)
          AS row (file_id uuid, name text, path text, bytes bigint, sha256 text, depth int)
      ON CONFLICT (job_id, name) DO NOTHING`,
    [jobId, JSON.stringify(rows)],
  );
}
