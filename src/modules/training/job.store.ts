import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { rowsOf } from '../../kernel/transaction.js';
import { DATASET_SCHEME } from '../dataset/dataset-files.port.js';
import { activeStatuses, hiddenBehind, isWaiting, type JobStatus, type ShownStatus } from './job-state.js';
import type { DatasetUse } from './dataset-use.port.js';
import type { JobEntity } from './job.entity.js';
import type { ResolvedConfig } from './resolved-config.js';

export interface JobPage {
  jobs: JobEntity[];
  counts: Record<JobStatus, number>;
  /** Place in the queue, from 1, of waiting jobs on the page that stand among its first thousand. */
  positions: Map<string, number>;
}

export interface PageRequest {
  status?: ShownStatus | undefined;
  limit: number;
  offset?: number | undefined;
  /** Only jobs with a lower sequence number. */
  before?: number | undefined;
}

const COUNTED_PLACES = 1000;

const QUEUE_PLACES = `
SELECT seq, row_number() OVER (ORDER BY priority DESC, seq)::int AS place
  FROM (SELECT priority, seq FROM training_jobs WHERE status IN ('pending', 'queued')
    ORDER BY priority DESC, seq LIMIT ${COUNTED_PLACES}) AS ahead`;

/** Two ranges of the queue's index: one condition over both columns would read the whole queue for its first job. */
const JOBS_AHEAD = `
SELECT count(*)::int AS ahead FROM (
  SELECT 1 FROM training_jobs WHERE status IN ('pending', 'queued') AND priority > $1
  UNION ALL SELECT 1 FROM training_jobs WHERE status IN ('pending', 'queued') AND priority = $1 AND seq < $2
  LIMIT ${COUNTED_PLACES}) AS ahead`;

/** One range of the index a status, which PostgreSQL merges: a condition over several would sort them all. */
const withStatus = (statuses: JobStatus[]): string =>
  statuses.map((status) => `SELECT seq FROM training_jobs WHERE status = '${status}'`).join(' UNION ALL ');

/** Reads jobs for the API. */
@Injectable()
export class JobStore implements DatasetUse {
  constructor(private readonly source: DataSource) {}

  async byId(jobId: string): Promise<JobEntity | undefined> {
    const [job] = await rowsOf<JobEntity>(this.source, 'SELECT * FROM training_jobs WHERE job_id = $1', [jobId]);
    return job;
  }

  async config(jobId: string): Promise<ResolvedConfig | undefined> {
    const [row] = await rowsOf<{ config: ResolvedConfig }>(
      this.source,
      'SELECT config FROM training_job_configs WHERE job_id = $1',
      [jobId],
    );
    return row?.config;
  }

  /** The place of a waiting job in the queue, from 1; undefined behind the first thousand, and for one that does not wait. */
  async position(job: Pick<JobEntity, 'status' | 'priority' | 'seq'>): Promise<number | undefined> {
    if (!isWaiting(job.status)) return undefined;
    const [row] = await rowsOf<{ ahead: number }>(this.source, JOBS_AHEAD, [job.priority, job.seq]);
    return row && row.ahead < COUNTED_PLACES ? row.ahead + 1 : undefined;
  }

  async page(request: PageRequest): Promise<JobPage> {
    const [jobs, counts] = await Promise.all([this.#jobs(request), this.counts()]);
    const waiting = jobs.filter((job) => isWaiting(job.status));
    return { jobs, counts, positions: waiting.length > 0 ? await this.#positions(waiting) : new Map() };
  }

  async counts(): Promise<Record<JobStatus, number>> {
    const rows = await rowsOf<{ status: JobStatus; jobs: number }>(
      this.source,
      'SELECT status, sum(jobs)::bigint AS jobs FROM training_job_counts GROUP BY status',
    );
    const none = { pending: 0, queued: 0, running: 0, paused: 0, completed: 0, failed: 0, cancelled: 0 };
    return Object.assign(none, Object.fromEntries(rows.map((row) => [row.status, row.jobs])));
  }

  async activeCount(): Promise<number> {
    const counts = await this.counts();
    return activeStatuses.reduce((sum, status) => sum + counts[status], 0);
  }

  /** Adapters that were completed on a base model, the newest first, at most `limit`. */
  async adapters(baseModel: string, limit: number): Promise<Pick<JobEntity, 'job_id' | 'adapter_path'>[]> {
    return rowsOf(
      this.source,
      `SELECT job_id, adapter_path FROM training_jobs
        WHERE status = 'completed' AND base_model = $1 AND adapter_path IS NOT NULL ORDER BY completed_at DESC LIMIT $2`,
      [baseModel, limit],
    );
  }

  /** Of the dataset's versions, whichever. */
  async jobsUsing(datasetId: string, limit: number): Promise<string[]> {
    const rows = await rowsOf<{ job_id: string }>(
      this.source,
      `SELECT job_id FROM training_jobs WHERE status = ANY ($3) AND starts_with(dataset_path, $1)
        ORDER BY seq LIMIT $2`,
      [`${DATASET_SCHEME}${datasetId}@`, limit, activeStatuses],
    );
    return rows.map(({ job_id: jobId }) => jobId);
  }

  async running(hostId: string): Promise<JobEntity[]> {
    return rowsOf<JobEntity>(
      this.source,
      `SELECT * FROM training_jobs WHERE status = 'running' AND host_id = $1 ORDER BY slot`,
      [hostId],
    );
  }

  async completedBySlot(hostId: string): Promise<Map<number, number>> {
    const rows = await rowsOf<{ slot: number; jobs_completed: number }>(
      this.source,
      'SELECT slot, jobs_completed FROM training_slots WHERE host_id = $1',
      [hostId],
    );
    return new Map(rows.map((row) => [row.slot, row.jobs_completed]));
  }

  /** The page is cut in the narrow index first; only its rows are then read whole. */
  async #jobs({ status, limit, offset, before }: PageRequest): Promise<JobEntity[]> {
    return rowsOf<JobEntity>(
      this.source,
      `SELECT j.* FROM (
          SELECT seq FROM (${status ? withStatus(hiddenBehind(status)) : 'SELECT seq FROM training_jobs'}) AS chosen
            WHERE ${before === undefined ? '$3::bigint IS NULL' : 'seq < $3'} ORDER BY seq DESC LIMIT $1 OFFSET $2) AS page
        JOIN training_jobs j USING (seq) ORDER BY seq DESC`,
      [limit, offset ?? 0, before ?? null],
    );
  }

  /** By `seq`, so that the queue's index alone answers. */
  async #positions(jobs: JobEntity[]): Promise<Map<string, number>> {
    const rows = await rowsOf<{ seq: number; place: number }>(
      this.source,
      `SELECT * FROM (${QUEUE_PLACES}) AS places WHERE seq = ANY ($1::bigint[])`,
      [jobs.map(({ seq }) => seq)],
    );
    const places = new Map(rows.map(({ seq, place }) => [seq, place]));
    return new Map(jobs.flatMap(({ job_id, seq }) => (places.has(seq) ? [[job_id, places.get(seq) as number]] : [])));
  }
}
