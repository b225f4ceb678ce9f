import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { isDatabaseAway } from '../../kernel/transaction.js';
import { Wakeups } from '../../kernel/wakeups.js';

const JOBS = 'ingestion_jobs';
const SCANS = 'ingestion_scans';
const UPLOADS = 'ingestion_uploads';
const FILES = 'ingestion_files';

/** Tells this process, and the other applications on the database, what changed; after the commit, never inside it. */
@Injectable()
export class IngestionNews {
  constructor(
    private readonly source: DataSource,
    private readonly wakeups: Wakeups,
    private readonly log: Log,
  ) {}

  changed(jobId: string): void {
    void this.#notify(JOBS, jobId);
  }

  scanChanged(scanId: string): void {
    void this.#notify(SCANS, scanId);
  }

  uploadChanged(uploadId: string): void {
    void this.#notify(UPLOADS, uploadId);
  }

  /** There are files to read, or folders to walk. */
  filesWait(): void {
    void this.#notify(FILES, '');
  }

  onJob(listener: (jobId: string) => void): () => void {
    return this.wakeups.on(JOBS, listener);
  }

  onScan(listener: (scanId: string) => void): () => void {
    return this.wakeups.on(SCANS, listener);
  }

  onUpload(listener: (uploadId: string) => void): () => void {
    return this.wakeups.on(UPLOADS, listener);
  }

  onFiles(listener: () => void): () => void {
    return this.wakeups.on(FILES, listener);
  }

  async #notify(channel: string, payload: string): Promise<void> {
    try {
      await this.source.query('SELECT pg_notify($1, $2)', [channel, payload]);
    } catch (error) {
      if (!isDatabaseAway(error)) this.log.error('telling about a change failed', { error: messageOf(error) });
    }
  }
}
