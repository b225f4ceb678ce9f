import { rowsOf, type Sql } from '../../kernel/transaction.js';
import { snapshotOf } from './job-changes.js';
import type { JobEntity } from './job.entity.js';
import type { ResolvedConfig } from './resolved-config.js';

export type NewJob = Pick<
  JobEntity,
  | 'job_id'
  | 'trainer_type'
  | 'method'
  | 'config_path'
  | 'dataset_path'
  | 'output_dir'
  | 'priority'
  | 'tags'
  | 'created_by'
  | 'base_model'
  | 'gpus'
  | 'total_epochs'
> & {
  config: ResolvedConfig;
  /** Of `audit_record`; null where no trail is kept. */
  audit: string | null;
};

const INSERT_JOB = `
WITH job AS (
  INSERT INTO training_jobs (job_id, trainer_type, status, config_path, dataset_path, output_dir, priority, tags,
      created_by, base_model, gpus, total_epochs, method, last_event)
    VALUES ($1, $2, 'pending', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1) RETURNING *
), config AS (
  INSERT INTO training_job_configs (job_id, config) SELECT job_id, $13::jsonb FROM job
), event AS (
  INSERT INTO training_job_events (job_id, number, time, type, data)
    SELECT job_id, 1, created_at, 'created', $14::jsonb FROM job
)
SELECT * FROM job`;

const INSERT_AUDITED_JOB = INSERT_JOB.replace(/SELECT \* FROM job$/, 'SELECT job.*, audit_record($15::jsonb) FROM job');

/** Writes a job, its configuration, its first event and its audit row in one statement. */
export async function insertJob(sql: Sql, job: NewJob): Promise<JobEntity> {
  const [row] = await rowsOf<JobEntity>(sql, job.audit === null ? INSERT_JOB : INSERT_AUDITED_JOB, [
    job.job_id,
    job.trainer_type,
    job.config_path,
    job.dataset_path,
    job.output_dir,
    job.priority,
    job.tags,
    job.created_by,
    job.base_model,
    job.gpus,
    job.total_epochs,
    job.method,
    JSON.stringify(job.config),
    JSON.stringify({
      created_by: job.created_by,
      warnings: job.config.warnings,
      ...(job.config.dataset ? { dataset: job.config.dataset } : {}),
      job: initialSnapshot(job),
    }),
    ...(job.audit === null ? [] : [job.audit]),
  ]);
  if (!row) throw new Error('PostgreSQL returned no row for an INSERT');
  return row;
}

const initialSnapshot = (job: NewJob) =>
  snapshotOf({
    status: 'pending',
    progress_percent: 0,
    current_epoch: 0,
    total_epochs: job.total_epochs,
    current_step: 0,
    total_steps: 0,
    seconds_left: null,
    metrics: null,
  });
