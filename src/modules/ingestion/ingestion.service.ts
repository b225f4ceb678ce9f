import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppError } from '../../kernel/errors.js';
import { decodeCursor, encodeCursor } from '../../kernel/paging.js';
import { inTransaction, rowsOf } from '../../kernel/transaction.js';
import { isUuid } from '../../kernel/uuid.js';
import { AuditTrail } from '../audit/audit.port.js';
import { mayRead, readerKeysOf } from '../documents/readers.port.js';
import { SettledDocuments } from '../documents/settled-documents.port.js';
import { isAdmin, type Caller } from '../security/principal.port.js';
import type {
  IngestionFileDto,
  IngestionJobDto,
  IngestionMetricsDto,
  ListIngestionQuery,
  RecoverQuery,
  RecoverReplyDto,
} from './ingestion.dto.js';
import { cleanFileName } from './file-name.js';
import type { FileRow, JobRow } from './ingestion.entity.js';
import { fileView, jobView } from './ingestion-views.js';
import { IngestionNews } from './ingestion-news.js';
import { settleJob } from './ingestion-queue.store.js';

const MOST_RETRIES = 3;
const MOST_FILES = 10_000;
/** Reading it again gives the same: the file itself must change. */
const HOPELESS = ['empty', 'encrypted', 'broken', 'unsupported', 'too_large', 'no_text'];

const FILES = 'SELECT * FROM ingestion_file WHERE job_id = $1';

/** The ingestion API, step by step. */
@Injectable()
export class IngestionService {
  constructor(
    private readonly source: DataSource,
    private readonly settled: SettledDocuments,
    private readonly audit: AuditTrail,
    private readonly news: IngestionNews,
  ) {}

  async list(query: ListIngestionQuery, caller: Caller): Promise<{ jobs: IngestionJobDto[]; cursor: string | null }> {
    const keys = readerKeysOf(caller);
    const rows = await rowsOf<JobRow>(
      this.source,
      `SELECT * FROM ingestion_job WHERE ($1::text[] IS NULL OR readers && $1) AND ($2::bigint IS NULL OR seq < $2)
        ORDER BY seq DESC LIMIT $3`,
      [keys, query.cursor ? decodeCursor(query.cursor) : null, query.limit],
    );
    const last = rows.at(-1);
    return { jobs: rows.map(jobView), cursor: last && rows.length === query.limit ? encodeCursor(last.seq) : null };
  }

  async incomplete(caller: Caller): Promise<IngestionJobDto[]> {
    const rows = await rowsOf<JobRow>(
      this.source,
      `SELECT * FROM ingestion_job WHERE status IN ('pending', 'processing') AND ($1::text[] IS NULL OR readers && $1)
        ORDER BY seq DESC LIMIT 1000`,
      [readerKeysOf(caller)],
    );
    return rows.map(jobView);
  }

  async get(jobId: string, caller: Caller): Promise<IngestionJobDto> {
    return jobView(await this.find(jobId, caller));
  }

  async files(jobId: string, caller: Caller, statuses?: readonly string[]): Promise<IngestionFileDto[]> {
    await this.find(jobId, caller);
    const rows = await rowsOf<FileRow>(
      this.source,
      `${FILES} AND status <> 'unpacked' AND ($2::text[] IS NULL OR status = ANY ($2)) ORDER BY seq LIMIT ${MOST_FILES}`,
      [jobId, statuses ?? null],
    );
    return this.#views(rows);
  }

  async metrics(jobId: string, caller: Caller): Promise<IngestionMetricsDto> {
    const job = await this.find(jobId, caller);
    if (job.completed_at === null)
      throw new AppError('bad_request', `Job not completed (status: ${job.status}); its metrics come at its end`);
    const [sums] = await rowsOf<{ good: number; characters: number; chunks: number; references: number }>(
      this.source,
      `SELECT count(*) FILTER (WHERE status = 'completed')::int AS good, coalesce(sum(characters), 0)::bigint AS characters,
          coalesce(sum(chunks), 0)::int AS chunks,
          (SELECT count(DISTINCT r)::int FROM documents_chunk c, unnest(c.refs) AS r WHERE c.document_id IN (
            SELECT document_id FROM ingestion_file WHERE job_id = $1)) AS references
        FROM ingestion_file WHERE job_id = $1`,
      [jobId],
    );
    return {
      total_files: job.file_count,
      successful_files: sums?.good ?? 0,
      failed_files: job.failed_files,
      processing_time: (job.completed_at.getTime() - job.created_at.getTime()) / 1000,
      content_extracted_chars: sums?.characters ?? 0,
      chunks_created: sums?.chunks ?? 0,
      ai_entities_found: sums?.references ?? 0,
    };
  }

  /** What waits is cancelled; a file that is being read is left by its reader within seconds. */
  async cancel(jobId: string, caller: Caller): Promise<IngestionJobDto> {
    const job = await this.#own(jobId, caller, 'cancel');
    if (job.completed_at !== null) throw new AppError('conflict', `Cannot cancel job ${jobId}: it is ${job.status}`);
    await inTransaction(this.source, async (sql) => {
      await sql.query(
        `UPDATE ingestion_file SET status = 'cancelled', lease_owner = NULL, updated_at = now()
          WHERE job_id = $1 AND status IN ('pending', 'processing')`,
        [jobId],
      );
      await settleJob(sql, jobId);
      await this.audit.record(sql, caller, this.#entry('cancel', jobId, {}));
    });
    this.news.changed(jobId);
    return this.get(jobId, caller);
  }

  /** Tries the failed files of one job again. */
  async recover(jobId: string, query: RecoverQuery, caller: Caller): Promise<RecoverReplyDto> {
    await this.#own(jobId, caller, 'recover');
    return this.#recover([jobId], query, caller);
  }

  /** Tries all failed files of the caller again; an admin's are everybody's. */
  async recoverAll(query: RecoverQuery, caller: Caller): Promise<RecoverReplyDto> {
    const rows = await rowsOf<{ job_id: string }>(
      this.source,
      'SELECT job_id FROM ingestion_job WHERE failed_files > 0 AND ($1 OR created_by = $2) ORDER BY job_id LIMIT 1000',
      [isAdmin(caller), caller.subject],
    );
    return this.#recover(
      rows.map(({ job_id }) => job_id),
      query,
      caller,
    );
  }

  async blocked(caller: Caller): Promise<IngestionFileDto[]> {
    const rows = await rowsOf<FileRow>(
      this.source,
      `SELECT f.* FROM ingestion_file f JOIN ingestion_job j USING (job_id)
        WHERE f.status = 'blocked' AND ($1::text[] IS NULL OR j.readers && $1) ORDER BY f.seq LIMIT 1000`,
      [readerKeysOf(caller)],
    );
    return this.#views(rows);
  }

  /** @param asked id of the file, or its name */
  async unblock(asked: string, caller: Caller): Promise<RecoverReplyDto> {
    const which = cleanFileName(asked);
    const rows = await rowsOf<{ job_id: string }>(
      this.source,
      `SELECT f.job_id FROM ingestion_file f JOIN ingestion_job j USING (job_id)
        WHERE f.status = 'blocked' AND (f.file_id::text = $1 OR f.name = $1) AND ($2 OR j.created_by = $3)`,
      [which, isAdmin(caller), caller.subject],
    );
    if (rows.length === 0)
      throw new AppError('not_found', `No blocked file of yours is called "${which.slice(0, 200)}"`);
    return this.#recover([...new Set(rows.map(({ job_id }) => job_id))].toSorted(), {}, caller, which);
  }

  /** @throws AppError `not_found`; also for one that the caller may not read */
  async find(jobId: string, caller: Caller): Promise<JobRow> {
    const [job] = isUuid(jobId)
      ? await rowsOf<JobRow>(this.source, 'SELECT * FROM ingestion_job WHERE job_id = $1', [jobId])
      : [];
    const keys = readerKeysOf(caller);
    if (job && (mayRead(keys, job.readers) || job.created_by === caller.subject)) return job;
    throw new AppError('not_found', `Job not found: ${jobId}`);
  }

  async #own(jobId: string, caller: Caller, verb: string): Promise<JobRow> {
    const job = await this.find(jobId, caller);
    if (isAdmin(caller) || job.created_by === caller.subject) return job;
    this.audit.refused(caller, { action: `ingestion.job.${verb}`, target: { type: 'ingestion_job', id: jobId } });
    throw new AppError('forbidden', `Job ${jobId} is not yours: only who created it or an admin may ${verb} it`);
  }

  async #recover(jobIds: string[], query: RecoverQuery, caller: Caller, which?: string): Promise<RecoverReplyDto> {
    const recovered = await inTransaction(this.source, async (sql) => {
      const rows = await rowsOf<{ job_id: string }>(
        sql,
        `UPDATE ingestion_file SET status = 'pending', attempts = CASE WHEN status = 'blocked' THEN 0 ELSE attempts END,
            crashes = 0, reason = NULL, error_message = NULL, not_before = now(), updated_at = now()
          WHERE job_id = ANY ($1::uuid[]) AND (($4::text IS NULL AND status = 'failed' AND attempts <= $2
              AND ($3 OR reason <> ALL ($5)))
            OR (status = 'blocked' AND ($3 OR file_id::text = $4 OR name = $4)))
          RETURNING job_id`,
        [jobIds, query.max_retries ?? MOST_RETRIES, query.force_retry ?? false, which ?? null, HOPELESS],
      );
      const changed = [...new Set(rows.map(({ job_id }) => job_id))].toSorted();
      for (const jobId of changed) {
        await sql.query('UPDATE ingestion_job SET recovered = true WHERE job_id = $1', [jobId]);
        await settleJob(sql, jobId);
        await this.audit.record(
          sql,
          caller,
          this.#entry('recover', jobId, { files: rows.filter(({ job_id }) => job_id === jobId).length }),
        );
      }
      return { files: rows.length, changed };
    });
    for (const jobId of recovered.changed) this.news.changed(jobId);
    this.news.filesWait();
    return { success: true, message: recoveredMessage(recovered.files), recovered_files: recovered.files };
  }

  #entry(verb: string, jobId: string, detail: Record<string, unknown>) {
    const target = { type: 'ingestion_job', id: jobId };
    return { action: `ingestion.job.${verb}`, target, outcome: 'done' as const, detail };
  }

  async #views(rows: FileRow[]): Promise<IngestionFileDto[]> {
    const documents = rows.flatMap(({ document_id }) => document_id ?? []);
    const pending = await this.settled.pending(documents);
    return rows.map((row) => fileView(row, pending.get(row.document_id ?? '') ?? []));
  }
}

const recoveredMessage = (files: number): string =>
  files > 0
    ? `${files} file(s) are tried again`
    : 'No file is tried again: what failed cannot be read as it is (force_retry=true tries all the same)';
