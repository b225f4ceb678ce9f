import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { rowsOf } from '../../kernel/transaction.js';
import { AdapterRegistration } from './adapter-registration.js';
import type { EndedAttempt, Outcome, Requeued } from './attempt-outcome.js';
import { cancelledEvent, freed, pausedEvent, type JobChange } from './job-changes.js';
import { leaveAdapter, newestFirst } from './checkpoints.js';
import type { JobEntity } from './job.entity.js';
import { JobNews } from './job-news.js';
import { JobQueueStore } from './job-queue.store.js';
import type { WorkerEvent } from './run-contract.generated.js';
import { exists, type RunFolder } from './run-folder.js';
import { TrainingMetrics } from './training-metrics.js';

/** The wishes under which a job may become what was decided. */
const guardOf: Record<Outcome['become'], Pick<JobChange, 'wish'>> = {
  completed: {},
  failed: {},
  cancelled: {},
  paused: { wish: 'pausing' },
  queued: { wish: 'none' },
};

/** Carries out what was decided about an attempt that has ended. */
@Injectable()
export class AttemptEnd {
  constructor(
    private readonly queue: JobQueueStore,
    private readonly source: DataSource,
    private readonly news: JobNews,
    private readonly metrics: TrainingMetrics,
    private readonly registration: AdapterRegistration,
    private readonly log: Log,
  ) {}

  observe(job: JobEntity, report: WorkerEvent): void {
    this.metrics.observe(job, report);
  }

  /** The last word of the present attempt, where an earlier process stored it. */
  async lastWord(job: JobEntity): Promise<EndedAttempt['lastWord']> {
    const [event] = await rowsOf<{ type: string; data: unknown }>(
      this.source,
      `SELECT type, data FROM training_job_events WHERE job_id = $1 AND type IN ('finished', 'stopped', 'worker_failed')
          AND number > (SELECT max(number) FROM training_job_events WHERE job_id = $1 AND type = 'running')
        ORDER BY number DESC LIMIT 1`,
      [job.job_id],
    );
    return (
      event && ({ ...event, type: event.type === 'worker_failed' ? 'failed' : event.type } as EndedAttempt['lastWord'])
    );
  }

  /** @returns the row as it is now, or undefined where the attempt belongs to another supervisor */
  async carryOut(job: JobEntity, folder: RunFolder, outcome: Outcome): Promise<JobEntity | undefined> {
    const seconds = this.#seconds(job);
    const row = await this.#recorded(job, folder, outcome, seconds);
    if (!row) return undefined;
    this.metrics.ended(row, row.status, seconds);
    this.log.info('attempt ended', { job: job.job_id, attempt: job.attempt, become: row.status });
    if (row.status !== 'queued') await this.#tidy(folder, row);
    this.news.queueChanged();
    return row;
  }

  /** A wish that came while the end was being decided wins over another attempt, and a cancel over a pause. */
  async #recorded(
    job: JobEntity,
    folder: RunFolder,
    outcome: Outcome,
    seconds: number,
  ): Promise<JobEntity | undefined> {
    const instead: Outcome[] = [
      ...(outcome.become === 'queued' ? [{ become: 'paused' as const, instead: outcome }] : []),
      ...(outcome.become === 'queued' || outcome.become === 'paused' ? [{ become: 'cancelled' as const }] : []),
    ];
    for (const become of [outcome, ...instead]) {
      const row = await this.#record(job, folder, become, seconds);
      if (row) return row;
    }
    return undefined;
  }

  async #record(job: JobEntity, folder: RunFolder, outcome: Outcome, seconds: number): Promise<JobEntity | undefined> {
    const change = await this.#change(job, folder, outcome, seconds);
    const guarded: JobChange = { ...change, from: ['running'], fence: job.fence };
    if (outcome.become === 'completed') return this.#complete(job, guarded);
    return this.queue.change(job.job_id, { ...guarded, ...guardOf[outcome.become] });
  }

  async #complete(job: JobEntity, change: JobChange): Promise<JobEntity | undefined> {
    const { adapter_path: adapter } = change.set;
    const register = adapter ? await this.registration.prepare(job, adapter) : undefined;
    return this.queue.complete(job.job_id, change, register);
  }

  #seconds(job: JobEntity): number {
    return job.attempt_started_at ? (Date.now() - job.attempt_started_at.getTime()) / 1000 : 0;
  }

  async #change(job: JobEntity, folder: RunFolder, outcome: Outcome, seconds: number): Promise<JobChange> {
    const ended = { ...freed, completed_at: new Date(), run_seconds: job.run_seconds + seconds };
    switch (outcome.become) {
      case 'completed': {
        const adapter = await publish(
          join(folder.path, outcome.finished.adapter),
          join(folder.data, job.output_dir ?? 'models', job.job_id),
        );
        return {
          set: {
            ...ended,
            status: 'completed',
            progress_percent: 100,
            adapter_path: adapter,
            current_epoch: job.total_epochs,
          },
          events: [{ type: 'completed', data: { adapter_path: adapter, seconds } }],
        };
      }
      case 'failed':
        return {
          set: { ...ended, status: 'failed', error_message: outcome.message },
          events: [{ type: 'failed', data: { code: outcome.code, message: outcome.message, final: true } }],
        };
      case 'cancelled':
        return {
          set: { ...ended, status: 'cancelled' },
          events: [cancelledEvent(job)],
        };
      case 'paused':
        return {
          set: { ...freed, status: 'paused', run_seconds: job.run_seconds + seconds, ...counted(job, outcome.instead) },
          events: [pausedEvent(job)],
        };
      case 'queued':
        return this.#another(job, outcome, seconds);
    }
  }

  #another(job: JobEntity, outcome: Requeued, seconds: number): JobChange {
    return {
      set: {
        ...freed,
        status: 'queued',
        not_before: new Date(Date.now() + outcome.delaySeconds * 1000),
        run_seconds: job.run_seconds + seconds,
        ...counted(job, outcome),
      },
      events: [
        {
          type: 'retrying',
          data: {
            reason: outcome.reason,
            message: outcome.message,
            delay_seconds: outcome.delaySeconds,
            resume_from: job.resume_from,
          },
        },
      ],
    };
  }

  /** Of a completed job those stay that were ordered, as adapters; of another one the last, where its retry goes on. */
  async #tidy(folder: RunFolder, job: JobEntity): Promise<void> {
    try {
      const all = newestFirst(await folder.checkpoints());
      const kept = job.status === 'completed' ? all.slice(0, await this.#keptCheckpoints(job)) : [job.resume_from];
      for (const checkpoint of all)
        if (!kept.includes(checkpoint)) await rm(checkpoint, { recursive: true, force: true });
        else if (job.status === 'completed') await leaveAdapter(checkpoint);
    } catch (error) {
      this.log.warn('old checkpoints could not be removed', { folder: folder.job, error: messageOf(error) });
    }
  }

  async #keptCheckpoints({ job_id: jobId }: JobEntity): Promise<number> {
    const [row] = await rowsOf<{ kept: number | null }>(
      this.source,
      `SELECT (config->'order'->>'keep_checkpoints')::int AS kept FROM training_job_configs WHERE job_id = $1`,
      [jobId],
    );
    return row?.kept ?? 0;
  }
}

/** What an attempt that is followed by another leaves behind. */
function counted(job: JobEntity, outcome: Requeued | undefined) {
  const failed = outcome?.reason === 'killed' || outcome?.reason === 'retryable';
  return {
    failures: job.failures + (failed ? 1 : 0),
    batch_halvings: job.batch_halvings + (outcome?.reason === 'out_of_memory' ? 1 : 0),
    error_message: failed ? outcome.message : null,
  };
}

/**
 * Moves the adapter to `<output_dir>/<job_id>` of the data folder that the run lies in, whole or not at all; a second
 * call, or another supervisor that was quicker, leaves it there.
 */
async function publish(made: string, target: string): Promise<string> {
  if (!(await exists(made)) && (await exists(target))) return target;
  try {
    await mkdir(dirname(target), { recursive: true });
    await rename(made, target).catch((error: NodeJS.ErrnoException) => moveAnyway(error, made, target));
  } catch (error) {
    throw new Error(
      `the adapter is trained and lies in ${made}, but it could not be moved to ${target} (${messageOf(error)})`,
      { cause: error },
    );
  }
  return target;
}

async function moveAnyway(error: NodeJS.ErrnoException, made: string, target: string): Promise<void> {
  if (error.code === 'ENOENT' && (await exists(target))) return;
  if (error.code === 'EXDEV') {
    await cp(made, `${target}.partial`, { recursive: true });
    await rename(`${target}.partial`, target);
  } else if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST') {
    await rm(target, { recursive: true, force: true });
    await rename(made, target);
  } else throw error;
}
