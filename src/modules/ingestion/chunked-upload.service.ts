import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Settings } from '../../config/settings.js';
import { digestOf } from '../../kernel/file-digest.js';
import { AppError } from '../../kernel/errors.js';
import { inTransaction, rowsOf } from '../../kernel/transaction.js';
import { isUuid } from '../../kernel/uuid.js';
import { isAdmin, type Caller } from '../security/principal.port.js';
import { cleanFileName } from './file-name.js';
import type { StartUploadDto, UploadDto, UploadReplyDto } from './ingestion.dto.js';
import type { UploadRow } from './ingestion.entity.js';
import { chunksIn, uploadView } from './ingestion-views.js';
import { IngestionNews } from './ingestion-news.js';
import { belongingOf, JobCreation } from './job-creation.js';
import { OriginalFiles } from './original-files.js';
import { uploadReply } from './upload.service.js';

const CHUNK_BYTES = 8 * 1024 * 1024;
const MOST_CHUNKS = 100_000;

/** Large files in chunks, in any order, over any number of connections and restarts. */
@Injectable()
export class ChunkedUploads {
  readonly #folder: string;

  constructor(
    private readonly source: DataSource,
    private readonly settings: Settings,
    private readonly originals: OriginalFiles,
    private readonly jobs: JobCreation,
    private readonly news: IngestionNews,
  ) {
    this.#folder = join(settings.folders.data, 'documents', 'uploads');
  }

  async start(request: StartUploadDto, caller: Caller): Promise<UploadDto> {
    const { maxFileBytes } = this.settings.ingestion;
    const chunkBytes = request.chunk_size ?? CHUNK_BYTES;
    if (request.total_size > maxFileBytes)
      throw new AppError(
        'too_large',
        `total_size: ${request.total_size} is more than ${maxFileBytes} bytes (CLARA_MAX_UPLOAD_MB)`,
      );
    if (request.total_size / chunkBytes > MOST_CHUNKS)
      throw new AppError(
        'invalid',
        `chunk_size: ${chunkBytes} makes more than ${MOST_CHUNKS} chunks; take larger ones`,
      );
    await this.originals.mustHaveRoom(request.total_size);
    const { readers, tags } = belongingOf(request, caller);
    const id = randomUUID();
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await (await open(this.#path(id), 'wx', 0o600)).close();
    const [row] = await rowsOf<UploadRow>(
      this.source,
      `INSERT INTO ingestion_upload (upload_id, filename, bytes, chunk_bytes, sha256, status, created_by, readers, tags)
        VALUES ($1, $2, $3, $4, $5, 'receiving', $6, $7, $8) RETURNING *`,
      [
        id,
        cleanFileName(request.filename),
        request.total_size,
        chunkBytes,
        request.sha256?.toLowerCase() ?? null,
        caller.subject,
        readers,
        tags,
      ],
    );
    if (!row) throw new Error('PostgreSQL returned no row for an INSERT');
    return uploadView(row);
  }

  /** Writes one chunk; again: the same. It counts when all of its bytes are on the disk. */
  async chunk(uploadId: string, index: number, body: Readable, caller: Caller): Promise<UploadDto> {
    const upload = await this.#open(uploadId, caller);
    const total = chunksIn(upload);
    if (!Number.isInteger(index) || index < 0 || index >= total)
      throw new AppError('invalid', `chunk ${index} is none of this upload: they are 0 to ${total - 1}`);
    const start = index * upload.chunk_bytes;
    await this.#write(upload, body, { start, bytes: Math.min(upload.chunk_bytes, upload.bytes - start), index });
    const [row] = await rowsOf<UploadRow>(
      this.source,
      `UPDATE ingestion_upload SET received = ARRAY(SELECT DISTINCT unnest(received || $2::int) ORDER BY 1), updated_at = now()
        WHERE upload_id = $1 AND status = 'receiving' RETURNING *`,
      [uploadId, index],
    );
    if (!row) throw new AppError('conflict', `Upload ${uploadId} was ended meanwhile`);
    this.news.uploadChanged(uploadId);
    return uploadView(row);
  }

  async status(uploadId: string, caller: Caller): Promise<UploadDto> {
    return uploadView(await this.#find(uploadId, caller));
  }

  /** Makes a job of the file; again: answers with the same job. */
  async finalize(uploadId: string, caller: Caller): Promise<UploadReplyDto> {
    const upload = await this.#find(uploadId, caller);
    if (upload.job_id !== null) return this.#finished(upload, upload.job_id);
    const missing = chunksIn(upload) - upload.received.length;
    if (upload.status !== 'receiving') throw new AppError('conflict', `Upload ${uploadId} is ${upload.status}`);
    if (missing > 0)
      throw new AppError(
        'conflict',
        `${missing} chunk(s) are missing; GET /upload/chunked/${uploadId}/status lists what is here`,
      );
    const path = this.#path(uploadId);
    const { bytes, sha256 } = await digestOf(path);
    if (bytes !== upload.bytes) throw new AppError('conflict', `${bytes} bytes are here instead of ${upload.bytes}`);
    if (upload.sha256 !== null && upload.sha256 !== sha256)
      throw new AppError('conflict', `The file has the SHA-256 ${sha256}, not ${upload.sha256}; send the chunks again`);
    const files = [{ name: upload.filename, path, bytes, sha256 }];
    const job = await inTransaction(this.source, async (sql) => {
      const [still] = await rowsOf<UploadRow>(sql, 'SELECT * FROM ingestion_upload WHERE upload_id = $1 FOR UPDATE', [
        uploadId,
      ]);
      if (still?.status !== 'receiving') return undefined;
      const belonging = { readers: upload.readers, tags: upload.tags };
      const made = await this.jobs.createIn(sql, { kind: 'chunked', files, belonging }, caller);
      await sql.query(
        `UPDATE ingestion_upload SET status = 'completed', job_id = $2, updated_at = now() WHERE upload_id = $1`,
        [uploadId, made.job_id],
      );
      return made;
    });
    if (!job) return this.finalize(uploadId, caller);
    this.jobs.announce(job);
    this.news.uploadChanged(uploadId);
    return uploadReply(job, files);
  }

  async abort(uploadId: string, caller: Caller): Promise<UploadDto> {
    await this.#open(uploadId, caller);
    const [row] = await rowsOf<UploadRow>(
      this.source,
      `UPDATE ingestion_upload SET status = 'aborted', updated_at = now()
        WHERE upload_id = $1 AND status = 'receiving' RETURNING *`,
      [uploadId],
    );
    if (!row) throw new AppError('conflict', `Upload ${uploadId} was ended meanwhile`);
    await rm(this.#path(uploadId), { force: true });
    this.news.uploadChanged(uploadId);
    return uploadView(row);
  }

  /** Ends uploads that nobody goes on with, and removes files that belong to none. */
  async sweep(): Promise<void> {
    const rows = await rowsOf<{ upload_id: string }>(
      this.source,
      `UPDATE ingestion_upload SET status = 'aborted' WHERE status = 'receiving'
        AND updated_at < now() - make_interval(hours => $1) RETURNING upload_id`,
      [this.settings.ingestion.uploadHours],
    );
    for (const { upload_id } of rows) await rm(this.#path(upload_id), { force: true });
    const names = await readdir(this.#folder).catch(() => []);
    const used = await rowsOf<{ upload_id: string }>(
      this.source,
      `SELECT upload_id FROM ingestion_upload WHERE upload_id::text = ANY ($1) AND (status IN ('receiving', 'finalizing')
        OR EXISTS (SELECT FROM ingestion_file f WHERE f.path LIKE '%' || upload_id::text))`,
      [names],
    );
    const kept = new Set(used.map(({ upload_id }) => upload_id));
    for (const name of names)
      if (!kept.has(name) && (await isOld(join(this.#folder, name))))
        await rm(join(this.#folder, name), { force: true });
  }

  async #write(
    upload: UploadRow,
    body: Readable,
    { start, bytes, index }: { start: number; bytes: number; index: number },
  ): Promise<void> {
    const file = await open(this.#path(upload.upload_id), 'r+').catch(() => {
      throw new AppError('conflict', `The bytes of upload ${upload.upload_id} are gone; start it again`);
    });
    let written = 0;
    try {
      for await (const part of body as AsyncIterable<Buffer>) {
        if (written + part.length > bytes) throw wrongSize(index, bytes, `more than ${bytes}`);
        await file.write(part, 0, part.length, start + written);
        written += part.length;
      }
      if (written !== bytes) throw wrongSize(index, bytes, String(written));
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  async #finished(upload: UploadRow, jobId: string): Promise<UploadReplyDto> {
    const [job] = await rowsOf<Parameters<typeof uploadReply>[0]>(
      this.source,
      'SELECT * FROM ingestion_job WHERE job_id = $1',
      [jobId],
    );
    if (!job) throw new AppError('not_found', `Job not found: ${jobId}`);
    return uploadReply(job, [{ name: upload.filename }]);
  }

  async #open(uploadId: string, caller: Caller): Promise<UploadRow> {
    const upload = await this.#find(uploadId, caller);
    if (upload.status !== 'receiving') throw new AppError('conflict', `Upload ${uploadId} is ${upload.status}`);
    return upload;
  }

  /** An upload is its starter's alone, and an admin's. */
  async #find(uploadId: string, caller: Caller): Promise<UploadRow> {
    const [row] = isUuid(uploadId)
      ? await rowsOf<UploadRow>(this.source, 'SELECT * FROM ingestion_upload WHERE upload_id = $1', [uploadId])
      : [];
    if (row && (row.created_by === caller.subject || isAdmin(caller))) return row;
    throw new AppError('not_found', `Upload not found: ${uploadId}`);
  }

  #path(uploadId: string): string {
    return join(this.#folder, uploadId);
  }
}

const wrongSize = (index: number, wanted: number, got: string): AppError =>
  new AppError('bad_request', `chunk ${index} has ${got} bytes; it must have ${wanted}`);

const HOUR_MS = 3_600_000;
const isOld = async (path: string): Promise<boolean> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs < Date.now() - HOUR_MS,
    () => false,
  );
