import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { rowsOf } from '../../kernel/transaction.js';
import { snapshotOf } from './job-changes.js';
import { JobEventFeed, type JobEvent, type JobSnapshot } from './job-events.port.js';
import type { JobEntity } from './job.entity.js';
import { JobNews } from './job-news.js';
import { activeStatuses } from './job-state.js';

type EventRow = Omit<JobEvent, 'time'> & { time: Date };

const COLUMNS = 'stream, job_id, number, time, type, step, data';
const toEvent = (row: EventRow): JobEvent => ({ ...row, time: row.time.toISOString() });

/** The event log in PostgreSQL. */
@Injectable()
export class JobEventStore extends JobEventFeed {
  constructor(
    private readonly source: DataSource,
    private readonly news: JobNews,
  ) {
    super();
  }

  async newest(): Promise<number> {
    return (await this.#head()).newest;
  }

  async oldest(): Promise<number> {
    const { newest, oldest } = await this.#head();
    return newest === 0 ? 0 : oldest;
  }

  async exists(jobId: string): Promise<boolean> {
    return (await rowsOf(this.source, 'SELECT 1 FROM training_jobs WHERE job_id = $1', [jobId])).length > 0;
  }

  async read(after: number, limit: number, jobId?: string): Promise<JobEvent[]> {
    const rows = await rowsOf<EventRow>(
      this.source,
      `SELECT ${COLUMNS} FROM training_job_events WHERE stream > $1 ${jobId ? 'AND job_id = $3' : ''} ORDER BY stream LIMIT $2`,
      jobId ? [after, limit, jobId] : [after, limit],
    );
    return rows.map(toEvent);
  }

  async readJob(jobId: string, after: number, limit: number): Promise<JobEvent[]> {
    const rows = await rowsOf<EventRow>(
      this.source,
      `SELECT ${COLUMNS} FROM training_job_events WHERE job_id = $1 AND number > $2::bigint ORDER BY number LIMIT $3`,
      [jobId, after, limit],
    );
    return rows.map(toEvent);
  }

  async snapshots(jobId?: string): Promise<{ stream: number; jobs: ({ job_id: string } & JobSnapshot)[] }> {
    const stream = await this.newest();
    const jobs = await rowsOf<JobEntity>(
      this.source,
      jobId
        ? 'SELECT * FROM training_jobs WHERE job_id = $1'
        : 'SELECT * FROM training_jobs WHERE status = ANY ($1) ORDER BY seq LIMIT 1000',
      jobId ? [jobId] : [activeStatuses],
    );
    return { stream, jobs: jobs.map((job) => ({ job_id: job.job_id, ...snapshotOf(job) })) };
  }

  onNews(listener: () => void): () => void {
    return this.news.onStream(listener);
  }

  async #head(): Promise<{ newest: number; oldest: number }> {
    const [head] = await rowsOf<{ newest: number; oldest: number }>(
      this.source,
      'SELECT newest, oldest FROM training_event_head WHERE id = 1',
    );
    return head ?? { newest: 0, oldest: 0 };
  }
}
