import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { inTransaction, rowsOf, type Sql } from '../../kernel/transaction.js';
import { AuditTrail } from '../audit/audit.port.js';
import { readersOf } from '../documents/readers.port.js';
import type { ReaderKey } from '../documents/replica.port.js';
import type { Caller } from '../security/principal.port.js';
import { cleanFileName, uniqueNames } from './file-name.js';
import type { DocumentOptionsDto } from './ingestion.dto.js';
import type { JobRow } from './ingestion.entity.js';
import { IngestionNews } from './ingestion-news.js';
import { insertFiles, type NamedFile } from './ingestion-queue.store.js';

export interface JobRequest {
  kind: JobRow['kind'];
  files: NamedFile[];
  belonging: DocumentBelonging;
  scanId?: string;
}

/** Who may read the documents, and how they are tagged; as it is stored. */
export interface DocumentBelonging {
  readers: ReaderKey[];
  tags: string[];
}

/** What a request asks for, worked out once, where it comes in. @throws AppError `invalid` */
export const belongingOf = (options: DocumentOptionsDto, caller: Caller): DocumentBelonging => ({
  readers: readersOf(options.readers ?? [], caller.subject),
  tags: [...new Set(options.tags)].toSorted(),
});

/** Makes jobs of files that are staged. */
@Injectable()
export class JobCreation {
  constructor(
    private readonly source: DataSource,
    private readonly audit: AuditTrail,
    private readonly news: IngestionNews,
  ) {}

  async create(request: JobRequest, caller: Caller): Promise<JobRow> {
    const job = await inTransaction(this.source, (sql) => this.createIn(sql, request, caller));
    this.announce(job);
    return job;
  }

  announce({ job_id: jobId }: JobRow): void {
    this.news.changed(jobId);
    this.news.filesWait();
  }

  /** In a transaction of the caller's; `announce` follows the commit. */
  async createIn(sql: Sql, { kind, files, belonging, scanId }: JobRequest, caller: Caller): Promise<JobRow> {
    const { readers, tags } = belonging;
    const [job] = await rowsOf<JobRow>(
      sql,
      `INSERT INTO ingestion_job (job_id, kind, scan_id, status, created_by, readers, tags, file_count)
        VALUES ($1, $2, $3, 'pending', $4, $5, $6, $7) RETURNING *`,
      [randomUUID(), kind, scanId ?? null, caller.subject, readers, tags, files.length],
    );
    if (!job) throw new Error('PostgreSQL returned no row for an INSERT');
    const names = uniqueNames(files.map(({ name }) => cleanFileName(name)));
    await insertFiles(
      sql,
      job.job_id,
      files.map((file, index) => ({ ...file, name: names[index] ?? file.name })),
    );
    await this.audit.record(sql, caller, {
      action: 'ingestion.job.create',
      target: { type: 'ingestion_job', id: job.job_id },
      outcome: 'done',
      detail: { kind, files: files.length, readers },
    });
    return job;
  }
}
