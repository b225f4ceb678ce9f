import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppError } from '../../kernel/errors.js';
import { inTransaction, rowsOf, type Sql } from '../../kernel/transaction.js';
import type { Registration } from './completed-adapter.port.js';
import {
  cancelledEvent,
  changeJob,
  freed,
  insertEvents,
  pausedEvent,
  type JobChange,
  type NewEvent,
} from './job-changes.js';
import type { JobEntity } from './job.entity.js';
import type { Wishes } from './attempt-outcome.js';
import { insertJob, type NewJob } from './job-insert.js';
import { JobNews } from './job-news.js';
import { askBack, lockHost } from './slot-table.js';
import { chooseSlot, type HostSlots, type SlotChoice } from './slots.js';

export interface IdempotencyKey {
  subject: string;
  key: string;
  requestHash: string;
}

/** Who claims: this process on this host. */
export interface Claimant {
  owner: string;
  hostId: string;
  leaseSeconds: number;
}

class KeyTaken extends Error {}

const ADMIT_JOBS = `
UPDATE training_jobs SET status = 'queued', last_event = last_event + 1
  WHERE job_id IN (SELECT job_id FROM training_jobs WHERE status = 'pending' AND cancel_requested_at IS NULL
    ORDER BY seq LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING *`;

/** The queue: every change of a job that is not a report of its worker. Terms: DESIGN section 5. */
@Injectable()
export class JobQueueStore {
  constructor(
    private readonly source: DataSource,
    private readonly news: JobNews,
  ) {}

  /** Records a job as pending; a repeated idempotency key answers with the job of its first use. */
  async create(job: NewJob, key?: IdempotencyKey): Promise<JobEntity> {
    const row = key ? await this.#createOnce(job, key) : await insertJob(this.source, job);
    this.news.queueChanged();
    return row;
  }

  async #createOnce(job: NewJob, key: IdempotencyKey): Promise<JobEntity> {
    try {
      return await inTransaction(this.source, async (sql) => {
        const row = await insertJob(sql, job);
        const taken = await rowsOf(
          sql,
          `INSERT INTO training_idempotency_keys (subject, key, job_id, request_hash) VALUES ($1, $2, $3, $4)
            ON CONFLICT DO NOTHING RETURNING key`,
          [key.subject, key.key, job.job_id, key.requestHash],
        );
        if (taken.length === 0) throw new KeyTaken();
        return row;
      });
    } catch (error) {
      const first = error instanceof KeyTaken ? await this.repeated(key) : undefined;
      if (first) return first;
      throw error;
    }
  }

  /** The job of the key's first use. @throws AppError `conflict` where that was another request */
  async repeated(key: IdempotencyKey): Promise<JobEntity | undefined> {
    const [first] = await rowsOf<JobEntity & { request_hash: string }>(
      this.source,
      `SELECT j.*, k.request_hash FROM training_idempotency_keys k JOIN training_jobs j USING (job_id)
        WHERE k.subject = $1 AND k.key = $2`,
      [key.subject, key.key],
    );
    if (!first || first.request_hash === key.requestHash) return first;
    throw new AppError(
      'conflict',
      `Idempotency-Key "${key.key}" was used with another request before; use a new key for a new request`,
    );
  }

  /** pending -> queued for what has come in; at most `limit` at a time, in two statements however many they are. */
  async admit(limit: number): Promise<number> {
    const admitted = await inTransaction(this.source, async (sql) => {
      const jobs = await rowsOf<JobEntity>(sql, ADMIT_JOBS, [limit]);
      if (jobs.length > 0) await insertEvents(sql, jobs, [{ type: 'queued' }]);
      return jobs.length;
    });
    if (admitted > 0) this.news.eventsWritten();
    return admitted;
  }

  async registerHost(host: HostSlots & { hostId: string; bootId: string; hostname: string }): Promise<void> {
    await this.source.query(
      `INSERT INTO training_hosts (host_id, boot_id, hostname, slots, gpus, seen_at) VALUES ($1, $2, $3, $4, $5, now())
        ON CONFLICT (host_id) DO UPDATE SET boot_id = $2, hostname = $3, slots = $4, gpus = $5, seen_at = now()`,
      [host.hostId, host.bootId, host.hostname, host.slots, host.gpus],
    );
  }

  /** Claims the next job of the queue for this host, or says what the next one waits for. */
  async claim(
    by: Claimant,
    runFolder: (job: JobEntity) => string,
  ): Promise<JobEntity | { waitingFor: 'slot' | 'gpu' } | undefined> {
    const outcome = await inTransaction(this.source, async (sql) => {
      const slots = await lockHost(sql, by.hostId);
      const next = await nextInQueue(sql, slots.host.gpus);
      if (!next) return (await asksForMore(sql, slots.host.gpus)) ? { waitingFor: 'gpu' as const } : undefined;
      const choice = chooseSlot(slots.host, slots.taken, next.gpus);
      if ('waitingFor' in choice) {
        await askBack(sql, by.hostId, slots, next.gpus);
        return choice;
      }
      return changeJob(sql, next.job_id, claimChange(next, by, choice, runFolder(next)));
    });
    if (outcome && 'job_id' in outcome) this.news.eventsWritten();
    return outcome;
  }

  /** Takes over running jobs of this host that nobody supervises, or whose run folders lie in `dataFolder`, which is ours. */
  async adopt(by: Claimant, dataFolder: string, own: readonly string[]): Promise<JobEntity[]> {
    const rows = await rowsOf<JobEntity>(
      this.source,
      `UPDATE training_jobs SET owner = $1, fence = fence + 1, lease_until = now() + make_interval(secs => $2)
        WHERE job_id IN (SELECT job_id FROM training_jobs WHERE status = 'running' AND host_id = $3
            AND job_id <> ALL ($5::uuid[])
            AND (lease_until < now() OR (starts_with(run_dir, $4) AND owner IS DISTINCT FROM $1))
          FOR UPDATE SKIP LOCKED)
        RETURNING *`,
      [by.owner, by.leaseSeconds, by.hostId, dataFolder, own],
    );
    return rows;
  }

  /** Puts jobs of hosts that are gone so long that their workers have ended themselves back into the queue. */
  async requeueOrphans(hostId: string, orphanSeconds: number): Promise<JobEntity[]> {
    const jobs = await inTransaction(this.source, async (sql) => {
      const orphans = await rowsOf<JobEntity>(
        sql,
        `SELECT * FROM training_jobs WHERE status = 'running' AND host_id <> $1
            AND lease_until + make_interval(secs => $2) < now() FOR UPDATE SKIP LOCKED`,
        [hostId, orphanSeconds],
      );
      for (const job of orphans) await changeJob(sql, job.job_id, orphanChange(job));
      return orphans;
    });
    if (jobs.length > 0) this.news.queueChanged();
    return jobs;
  }

  /** Renews the leases of the jobs that this owner supervises; what is not in the answer is not ours any more. */
  async renew(
    by: Claimant,
    jobIds: readonly string[],
  ): Promise<Pick<JobEntity, 'job_id' | 'fence' | 'cancel_requested_at' | 'pause_requested_at'>[]> {
    return rowsOf(
      this.source,
      `UPDATE training_jobs SET lease_until = now() + make_interval(secs => $2)
        WHERE status = 'running' AND owner = $1 AND job_id = ANY ($3::uuid[])
        RETURNING job_id, fence, cancel_requested_at, pause_requested_at`,
      [by.owner, by.leaseSeconds, jobIds],
    );
  }

  /** What people want of a running job by now. */
  async wishes(jobId: string): Promise<Wishes> {
    const [row] = await rowsOf<Wishes>(
      this.source,
      `SELECT cancel_requested_at IS NOT NULL AS cancel, pause_requested_at IS NOT NULL AS pause
        FROM training_jobs WHERE job_id = $1`,
      [jobId],
    );
    return row ?? { cancel: false, pause: false };
  }

  /** Lets others adopt at once what this owner leaves. */
  async release(owner: string): Promise<void> {
    await this.source.query(`UPDATE training_jobs SET lease_until = now() WHERE status = 'running' AND owner = $1`, [
      owner,
    ]);
  }

  /** Applies a change in a transaction of its own; undefined where its guards did not hold. */
  async change(jobId: string, change: JobChange): Promise<JobEntity | undefined> {
    const row = await inTransaction(this.source, (sql) => changeJob(sql, jobId, change));
    if (row) this.news.eventsWritten();
    return row;
  }

  /** Records a completed job, its slot's count and its adapter included. */
  async complete(jobId: string, change: JobChange, register?: Registration): Promise<JobEntity | undefined> {
    const row = await inTransaction(this.source, async (sql) => {
      const done = await changeJob(sql, jobId, change);
      if (done?.host_id)
        await sql.query(
          `INSERT INTO training_slots AS s (host_id, slot, jobs_completed) VALUES ($1, $2, 1)
            ON CONFLICT (host_id, slot) DO UPDATE SET jobs_completed = s.jobs_completed + 1`,
          [done.host_id, done.slot ?? 0],
        );
      if (done) await register?.(sql);
      return done;
    });
    if (row) this.news.eventsWritten();
    return row;
  }
}

const CLAIMABLE = `status IN ('pending', 'queued') AND status = 'queued' AND not_before <= now() AND cancel_requested_at IS NULL`;

/** What asks for more GPUs than the host has is left to another one: it must not block the queue of this one. */
async function nextInQueue(sql: Sql, gpus: number): Promise<JobEntity | undefined> {
  const [next] = await rowsOf<JobEntity>(
    sql,
    `SELECT * FROM training_jobs WHERE ${CLAIMABLE} AND gpus <= $1
      ORDER BY priority DESC, seq LIMIT 1 FOR UPDATE SKIP LOCKED`,
    [gpus],
  );
  return next;
}

async function asksForMore(sql: Sql, gpus: number): Promise<boolean> {
  return (await rowsOf(sql, `SELECT 1 FROM training_jobs WHERE ${CLAIMABLE} AND gpus > $1 LIMIT 1`, [gpus])).length > 0;
}

function claimChange(next: JobEntity, by: Claimant, choice: SlotChoice, runDir: string): JobChange {
  const now = new Date();
  const event: NewEvent = {
    type: 'running',
    data: { attempt: next.attempt + 1, host: by.hostId, slot: choice.slot, gpus: choice.gpus },
  };
  return {
    set: {
      status: 'running',
      attempt: next.attempt + 1,
      fence: next.fence + 1,
      owner: by.owner,
      host_id: by.hostId,
      slot: choice.slot,
      gpu_indices: choice.gpus,
      lease_until: new Date(now.getTime() + by.leaseSeconds * 1000),
      run_dir: runDir,
      event_offset: 0,
      started_at: next.started_at ?? now,
      attempt_started_at: now,
      error_message: null,
    },
    events: [event],
  };
}

/** The higher fence shuts out a first owner that comes back. */
function orphanChange(job: JobEntity): JobChange {
  const left = { ...freed, fence: job.fence + 1 };
  if (job.cancel_requested_at)
    return { set: { ...left, status: 'cancelled', completed_at: new Date() }, events: [cancelledEvent(job)] };
  if (job.pause_requested_at) return { set: { ...left, status: 'paused' }, events: [pausedEvent(job)] };
  const message = `Nobody supervised the training on host ${job.host_id} any more`;
  return {
    set: { ...left, status: 'queued', not_before: new Date() },
    events: [{ type: 'retrying', data: { reason: 'orphan', message, delay_seconds: 0, resume_from: job.resume_from } }],
  };
}
