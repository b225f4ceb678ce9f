import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { rowsOf } from '../../kernel/transaction.js';
import type { CompletedJob } from './completed-adapter.port.js';
import { CompletedJobs } from './completed-jobs.port.js';
import type { JobEntity } from './job.entity.js';
import type { ResolvedConfig } from './resolved-config.js';

type Row = JobEntity & { config: ResolvedConfig; adapter_path: string };

export const completedJobOf = (job: JobEntity, config: ResolvedConfig, adapterPath: string): CompletedJob => ({
  jobId: job.job_id,
  seq: job.seq,
  trainerType: job.trainer_type,
  configPath: job.config_path,
  tags: job.tags,
  createdBy: job.created_by,
  baseModel: job.base_model,
  config,
  adapterPath,
});

@Injectable()
export class CompletedJobStore extends CompletedJobs {
  constructor(private readonly source: DataSource) {
    super();
  }

  async after(seq: number, limit: number): Promise<CompletedJob[]> {
    const rows = await rowsOf<Row>(
      this.source,
      `SELECT j.*, c.config FROM training_jobs j JOIN training_job_configs c USING (job_id)
        WHERE j.status = 'completed' AND j.adapter_path IS NOT NULL AND j.seq > $1 ORDER BY j.seq LIMIT $2`,
      [seq, limit],
    );
    return rows.map((row) => completedJobOf(row, row.config, row.adapter_path));
  }
}
