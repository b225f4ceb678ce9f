import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { rowsOf } from '../../kernel/transaction.js';
import type { FineTuningEvent } from './fine-tuning-jobs.port.js';
import type { JobEntity } from './job.entity.js';
import type { ResolvedConfig } from './resolved-config.js';

/** A job with what it was ordered with, and the last words of a failed one. */
export type OrderedRow = JobEntity & { config: ResolvedConfig; failure: { code: string; message: string } | null };

const ORDERED = `
SELECT j.*, c.config, f.failure FROM training_jobs j
  JOIN training_job_configs c ON c.job_id = j.job_id AND c.config ? 'order'
  LEFT JOIN LATERAL (SELECT data AS failure FROM training_job_events e
    WHERE e.job_id = j.job_id AND e.type = 'failed' AND j.status = 'failed' ORDER BY number DESC LIMIT 1) f ON true`;

/** Reads jobs that were ordered by another module. */
@Injectable()
export class OrderedJobStore {
  constructor(private readonly source: DataSource) {}

  byIds(jobIds: readonly string[]): Promise<OrderedRow[]> {
    return rowsOf<OrderedRow>(this.source, `${ORDERED} WHERE j.job_id = ANY ($1::uuid[])`, [jobIds]);
  }

  events(jobId: string, { limit, before }: { limit: number; before?: number }): Promise<FineTuningEvent[]> {
    return rowsOf<FineTuningEvent>(
      this.source,
      `SELECT number, time, type, step, data - 'job' AS data FROM training_job_events
        WHERE job_id = $1 AND ($3::int IS NULL OR number < $3) ORDER BY number DESC LIMIT $2`,
      [jobId, limit, before ?? null],
    );
  }

  /** What the job reported around its checkpoints, oldest first. */
  reports(jobId: string): Promise<FineTuningEvent[]> {
    return rowsOf<FineTuningEvent>(
      this.source,
      `SELECT number, time, type, step, data - 'job' AS data FROM training_job_events
        WHERE job_id = $1 AND type IN ('progress', 'metric', 'checkpoint') ORDER BY number`,
      [jobId],
    );
  }
}
