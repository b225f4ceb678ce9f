import { randomUUID } from 'node:crypto';
import { basename, relative, sep } from 'node:path';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Settings } from '../../config/settings.js';
import { BackgroundLoop } from '../../kernel/background-loop.js';
import { AppError, messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { inTransaction, isDatabaseAway, rowsOf, type Sql } from '../../kernel/transaction.js';
import { isUuid } from '../../kernel/uuid.js';
import { AuditTrail } from '../audit/audit.port.js';
import { mayRead, readerKeysOf } from '../documents/readers.port.js';
import { systemCaller, type Caller } from '../security/principal.port.js';
import { allowedFolder, filesBelow } from './folder-walk.js';
import type { ScanDto, ScanStartedDto, UploadDirectoryDto } from './ingestion.dto.js';
import type { JobRow, ScanRow } from './ingestion.entity.js';
import { IngestionNews } from './ingestion-news.js';
import type { NamedFile } from './ingestion-queue.store.js';
import { belongingOf, JobCreation } from './job-creation.js';
import { OriginalFiles } from './original-files.js';

const FILES_A_JOB = 50;
const TICK_MS = 5000;
const LEASE_SECONDS = 30;
const RENEW_MS = 10_000;

/** Takes folders of this host in, in the background: a scan that was broken off goes on where it stood. */
@Injectable()
export class ScanService implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #loop: BackgroundLoop;

  constructor(
    private readonly source: DataSource,
    private readonly settings: Settings,
    private readonly originals: OriginalFiles,
    private readonly jobs: JobCreation,
    private readonly news: IngestionNews,
    private readonly audit: AuditTrail,
    private readonly log: Log,
  ) {
    this.#loop = new BackgroundLoop('scans', TICK_MS, (signal) => this.#round(signal), log);
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.#loop.stop();
  }

  async start(request: UploadDirectoryDto, caller: Caller): Promise<ScanStartedDto> {
    const folder = await allowedFolder(request.directory_path, this.settings.ingestion.directories);
    const { readers, tags } = belongingOf(request, caller);
    const scanId = randomUUID();
    await inTransaction(this.source, async (sql) => {
      await sql.query(
        `INSERT INTO ingestion_scan (scan_id, directory_path, chunk_size, status, created_by, readers, tags)
          VALUES ($1, $2, $3, 'scanning', $4, $5, $6)`,
        [scanId, folder, request.chunk_size ?? FILES_A_JOB, caller.subject, readers, tags],
      );
      await this.audit.record(sql, caller, {
        action: 'ingestion.scan.create',
        target: { type: 'ingestion_scan', id: scanId },
        outcome: 'done',
        detail: { directory_path: folder, readers },
      });
    });
    this.news.scanChanged(scanId);
    this.#loop.ring();
    return { message: 'Directory scan started', scan_job_id: scanId, status: 'scanning', directory_path: folder };
  }

  /** @throws AppError `not_found` */
  async get(scanId: string, caller: Caller): Promise<ScanDto> {
    const [scan] = isUuid(scanId)
      ? await rowsOf<ScanRow>(this.source, 'SELECT * FROM ingestion_scan WHERE scan_id = $1', [scanId])
      : [];
    if (!scan || !mayRead(readerKeysOf(caller), [...scan.readers, `owner:${scan.created_by}`]))
      throw new AppError('not_found', `Scan not found: ${scanId}`);
    return this.view(scan);
  }

  async view(scan: ScanRow): Promise<{ [K in keyof ScanDto]: ScanDto[K] }> {
    const jobs = await rowsOf<Pick<JobRow, 'job_id' | 'file_count'>>(
      this.source,
      'SELECT job_id, file_count FROM ingestion_job WHERE scan_id = $1 ORDER BY seq',
      [scan.scan_id],
    );
    return {
      scan_job_id: scan.scan_id,
      status: scan.status,
      directory_path: scan.directory_path,
      files_found: scan.files_found,
      upload_jobs_created: jobs.length,
      upload_job_ids: jobs.map(({ job_id }) => job_id),
      error: scan.error,
      elapsed_time: ((scan.ended_at ?? new Date()).getTime() - scan.created_at.getTime()) / 1000,
      bulk_copy_progress: jobs.reduce((sum, { file_count }) => sum + file_count, 0),
    };
  }

  async #round(signal: AbortSignal): Promise<boolean> {
    const [scan] = await rowsOf<ScanRow>(
      this.source,
      `UPDATE ingestion_scan SET lease_until = now() + make_interval(secs => ${LEASE_SECONDS}) WHERE scan_id = (
          SELECT scan_id FROM ingestion_scan WHERE ended_at IS NULL AND coalesce(lease_until, '-infinity') < now()
            ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *`,
    );
    if (!scan) return false;
    const renewal = setInterval(() => void this.#renew(scan).catch(() => undefined), RENEW_MS);
    try {
      await this.#walk(scan, signal);
    } catch (error) {
      if (signal.aborted || isDatabaseAway(error)) await this.#release(scan);
      else await this.#end(scan, 'error', messageOf(error));
    } finally {
      clearInterval(renewal);
    }
    return true;
  }

  async #walk(scan: ScanRow, signal: AbortSignal): Promise<void> {
    const { maxFiles } = this.settings.ingestion;
    const found: string[] = [];
    for await (const path of filesBelow(scan.directory_path)) {
      signal.throwIfAborted();
      if (found.push(path) > maxFiles)
        throw new Error(`more than ${maxFiles} files (CLARA_MAX_UPLOAD_FILES); take the folders below in one by one`);
    }
    await this.#progress(scan, 'creating_jobs', found.length);
    for (let part = await jobsOf(this.source, scan); part * scan.chunk_size < found.length; part += 1) {
      const from = part * scan.chunk_size;
      const isOurs = await this.#makeJob(scan, part, found.slice(from, from + scan.chunk_size), signal);
      if (!isOurs) return;
      await this.#progress(scan, 'creating_jobs', found.length);
    }
    await this.#end(scan, 'completed', null);
  }

  /** Files that were changed meanwhile come as they are now. False where another application goes on with the folder. */
  async #makeJob(scan: ScanRow, part: number, paths: string[], signal: AbortSignal): Promise<boolean> {
    const root = basename(scan.directory_path);
    const files: NamedFile[] = [];
    try {
      for (const path of paths) {
        signal.throwIfAborted();
        const name = [root, ...relative(scan.directory_path, path).split(sep)].join('/');
        files.push({ name, ...(await this.originals.copyIn(path)) });
      }
      if (await this.#createJob(scan, part, files)) return true;
    } catch (error) {
      await this.#discard(files);
      throw error;
    }
    await this.#discard(files);
    return false;
  }

  /** A part that another process has made a job of meanwhile is not made twice. */
  async #createJob(scan: ScanRow, part: number, files: NamedFile[]): Promise<boolean> {
    const belonging = { readers: scan.readers, tags: scan.tags };
    const job = await inTransaction(this.source, async (sql) => {
      await sql.query('SELECT FROM ingestion_scan WHERE scan_id = $1 FOR UPDATE', [scan.scan_id]);
      if ((await jobsOf(sql, scan)) !== part) return undefined;
      const request = { kind: 'directory', files, belonging, scanId: scan.scan_id } as const;
      return this.jobs.createIn(sql, request, systemCaller(scan.created_by));
    });
    if (job) this.jobs.announce(job);
    return job !== undefined;
  }

  async #discard(files: NamedFile[]): Promise<void> {
    for (const { path } of files) await this.originals.remove(path);
  }

  async #renew({ scan_id }: ScanRow): Promise<void> {
    await this.source.query(
      `UPDATE ingestion_scan SET lease_until = now() + make_interval(secs => ${LEASE_SECONDS})
        WHERE scan_id = $1 AND ended_at IS NULL`,
      [scan_id],
    );
  }

  async #progress(scan: ScanRow, status: ScanRow['status'], found: number): Promise<void> {
    await this.source.query(
      `UPDATE ingestion_scan SET status = $2, files_found = $3, lease_until = now() + make_interval(secs => ${LEASE_SECONDS})
        WHERE scan_id = $1`,
      [scan.scan_id, status, found],
    );
    this.news.scanChanged(scan.scan_id);
  }

  async #end(scan: ScanRow, status: 'completed' | 'error', error: string | null): Promise<void> {
    if (error) this.log.warn('a folder could not be taken in', { scan: scan.scan_id, error });
    await this.source.query('UPDATE ingestion_scan SET status = $2, error = $3, ended_at = now() WHERE scan_id = $1', [
      scan.scan_id,
      status,
      error,
    ]);
    this.news.scanChanged(scan.scan_id);
  }

  async #release(scan: ScanRow): Promise<void> {
    await this.source
      .query('UPDATE ingestion_scan SET lease_until = NULL WHERE scan_id = $1', [scan.scan_id])
      .catch((error: unknown) => this.log.warn('a scan was not released', { error: messageOf(error) }));
  }
}

async function jobsOf(sql: Sql, { scan_id }: ScanRow): Promise<number> {
  const [row] = await rowsOf<{ jobs: number }>(
    sql,
    'SELECT count(*)::int AS jobs FROM ingestion_job WHERE scan_id = $1',
    [scan_id],
  );
  return row?.jobs ?? 0;
}
