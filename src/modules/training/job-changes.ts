import type { Sql } from '../../kernel/transaction.js';
import { rowsOf } from '../../kernel/transaction.js';
import type { JobSnapshot } from './job-events.port.js';
import type { JobEntity } from './job.entity.js';
import type { JobStatus } from './job-state.js';
import { shownStatus, sourcesOf } from './job-state.js';

/** An event that has no number yet; numbers come with the row lock of its job. */
export interface NewEvent {
  type: string;
  step?: number | null;
  data?: Record<string, unknown>;
  time?: string;
  /** The state right after this event; without it the state of the row after the change. */
  job?: JobSnapshot;
}

export type JobPatch = Partial<Omit<JobEntity, 'job_id' | 'seq' | 'last_event'>>;

export interface JobChange {
  set: JobPatch;
  events: NewEvent[];
  /** Only where the job has one of these statuses; with `set.status` the transition table is the default. */
  from?: readonly JobStatus[];
  /** Only where the attempt still carries this fencing number. */
  fence?: number;
  /** Only where nobody has asked to cancel (`uncancelled`), nor to pause (`none`), or where a pause is asked for (`pausing`). */
  wish?: 'uncancelled' | 'none' | 'pausing';
  /** Of `audit_record`, for what a person asked for; written only where the guards hold. */
  audit?: string | null;
}

/** What a job no longer has once its attempt is over. */
export const freed = {
  owner: null,
  lease_until: null,
  gpu_indices: [] as number[],
  seconds_left: null,
  pause_requested_at: null,
};

export const cancelledEvent = (job: JobEntity): NewEvent => ({
  type: 'cancelled',
  data: { cancelled_by: job.cancelled_by },
});

/** Of a job that leaves its slot. */
export const pausedEvent = (job: JobEntity): NewEvent => ({
  type: 'paused',
  data: { paused_by: job.paused_by, resume_from: job.resume_from },
});

/** What a row and a snapshot have in common. */
type Seen = Omit<JobSnapshot, 'status' | 'paused'> & { status: JobStatus; paused?: boolean };

export const snapshotOf = (job: Seen): JobSnapshot => ({
  status: shownStatus(job.status),
  paused: job.paused ?? job.status === 'paused',
  progress_percent: job.progress_percent,
  current_epoch: job.current_epoch,
  total_epochs: job.total_epochs,
  current_step: job.current_step,
  total_steps: job.total_steps,
  seconds_left: job.seconds_left,
  metrics: job.metrics,
});

function assignments(set: JobPatch, first: number): { sql: string; values: unknown[] } {
  const entries = Object.entries(set).filter(([, value]) => value !== undefined);
  const sql = entries.map(([name], index) => `${name} = $${first + index}, `).join('');
  return { sql, values: entries.map(([name, value]) => (name === 'metrics' && value ? JSON.stringify(value) : value)) };
}

/**
 * Changes a job and writes its events, in the transaction of `sql`.
 * @returns the row as it is now, or undefined where a guard (status, fence) did not hold: then nothing was written
 */
export async function changeJob(sql: Sql, jobId: string, change: JobChange): Promise<JobEntity | undefined> {
  const from = change.from ?? (change.set.status ? sourcesOf(change.set.status) : null);
  const { sql: columns, values } = assignments(change.set, 6);
  const [row] = await rowsOf<JobEntity>(
    sql,
    `UPDATE training_jobs SET ${columns} last_event = last_event + $2
      WHERE job_id = $1 AND ($3::text[] IS NULL OR status = ANY ($3)) AND ($4::bigint IS NULL OR fence = $4)
        AND ($5::text IS NULL OR (cancel_requested_at IS NULL AND CASE $5
          WHEN 'none' THEN pause_requested_at IS NULL WHEN 'pausing' THEN pause_requested_at IS NOT NULL ELSE true END))
      RETURNING *`,
    [jobId, change.events.length, from, change.fence ?? null, change.wish ?? null, ...values],
  );
  if (row && change.events.length > 0) await insertEvents(sql, [row], change.events);
  if (row && change.audit) await sql.query('SELECT audit_record($1::jsonb)', [change.audit]);
  return row;
}

/** The last of the events that `row.last_event` already counts, as rows of the event log. */
function eventRows(row: JobEntity, events: NewEvent[], now: string) {
  const first = row.last_event - events.length + 1;
  return events.map((event, index) => ({
    job_id: row.job_id,
    number: first + index,
    time: event.time ?? now,
    type: event.type,
    step: event.step ?? null,
    data: { ...event.data, job: event.job ?? snapshotOf(row) },
  }));
}

/** Writes the same events for each of the jobs, whose `last_event` already counts them. */
export async function insertEvents(sql: Sql, jobs: JobEntity[], events: NewEvent[]): Promise<void> {
  const now = new Date().toISOString();
  await sql.query(
    `INSERT INTO training_job_events (job_id, number, time, type, step, data)
      SELECT job_id, number, time, type, step, data FROM jsonb_to_recordset($1::jsonb)
        AS e (job_id uuid, number int, time timestamptz, type text, step int, data jsonb)`,
    [JSON.stringify(jobs.flatMap((row) => eventRows(row, events, now)))],
  );
}
