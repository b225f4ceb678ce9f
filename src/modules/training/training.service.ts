import { Injectable } from '@nestjs/common';
import { AppError } from '../../kernel/errors.js';
import { decodeCursor, encodeCursor } from '../../kernel/paging.js';
import type { Caller } from '../security/principal.port.js';
import { DispatcherService } from './dispatcher.service.js';
import { JobAccess } from './job-access.service.js';
import type {
  DryRunDto,
  JobEstimateDto,
  CancelReplyDto,
  ChangeJobDto,
  CreateJobDto,
  JobDto,
  JobListDto,
  JobReplyDto,
  ListJobsQuery,
} from './job.dto.js';
import type { JobEntity } from './job.entity.js';
import { JobQueueStore } from './job-queue.store.js';
import { activeStatuses, hiddenBehind, idleStatuses, isFinal, shownStatus, type JobStatus } from './job-state.js';
import { JobStore, type JobPage } from './job.store.js';
import { jobReply, jobView } from './job-view.js';
import { JobNews } from './job-news.js';
import { JobPlanner } from './job-planner.js';
import { TrainingMetrics } from './training-metrics.js';

const CANCEL_ROUNDS = 20;

/** The training API, step by step. */
@Injectable()
export class TrainingService {
  constructor(
    private readonly jobs: JobStore,
    private readonly queue: JobQueueStore,
    private readonly planner: JobPlanner,
    private readonly dispatcher: DispatcherService,
    private readonly metrics: TrainingMetrics,
    private readonly news: JobNews,
    private readonly access: JobAccess,
  ) {}

  /** Answers what would run and what it needs; nothing is recorded. */
  dryRun(request: CreateJobDto, caller: Caller): Promise<DryRunDto> {
    return this.planner.dryRun(request, caller);
  }

  async estimate(jobId: string): Promise<JobEstimateDto> {
    const job = await this.access.find(jobId);
    const config = await this.jobs.config(job.job_id);
    if (!config) throw new AppError('not_found', `Job not found: ${jobId}`);
    return { success: true, job_id: job.job_id, ...(await this.planner.estimate(config)) };
  }

  async get(jobId: string): Promise<JobReplyDto> {
    const job = await this.access.find(jobId);
    return jobReply(this.#view(job, await this.jobs.position(job)), 'Job details retrieved');
  }

  async list(query: ListJobsQuery): Promise<JobListDto> {
    if (query.cursor && query.offset !== undefined)
      throw new AppError('invalid', 'cursor and offset exclude each other; send one of them', [
        { path: 'offset', message: 'not together with cursor' },
      ]);
    const page = await this.jobs.page({
      status: query.status ?? undefined,
      limit: query.limit,
      offset: query.offset,
      before: query.cursor ? decodeCursor(query.cursor) : undefined,
    });
    const all = Object.values(page.counts).reduce((sum, count) => sum + count, 0);
    return {
      jobs: page.jobs.map((job) => this.#view(job, page.positions.get(job.job_id))),
      total_count: query.status ? sum(page.counts, hiddenBehind(query.status)) : all,
      active_count: sum(page.counts, activeStatuses),
      completed_count: page.counts.completed,
      failed_count: page.counts.failed,
      cancelled_count: page.counts.cancelled,
      next_cursor: nextCursor(page, query.limit),
    };
  }

  /** Records the wish and answers at once: a waiting job is cancelled, a running one is asked to save and end. */
  async cancel(jobId: string, user: Caller): Promise<CancelReplyDto> {
    const cancelled = await this.#recordCancel(jobId, user);
    this.news.queueChanged();
    return {
      success: true,
      message: cancelled.status === 'cancelled' ? `Job cancelled: ${jobId}` : `Job is being cancelled: ${jobId}`,
      job_id: jobId,
      status: shownStatus(cancelled.status),
      cancel_requested: true,
      cancelled_by: cancelled.cancelled_by ?? user.subject,
    };
  }

  /** A job that changes between waiting and running meanwhile is caught in one of the next rounds. */
  async #recordCancel(jobId: string, user: Caller): Promise<JobEntity> {
    for (let round = 1; ; round += 1) {
      const { status } = await this.access.own(jobId, user, 'cancel');
      const waits = status !== 'running';
      const row = waits ? await this.#cancelWaiting(jobId, user) : await this.#cancelRunning(jobId, user);
      if (row) return row;
      if (isFinal(status) || round === CANCEL_ROUNDS) throw await this.access.tooLate(jobId, 'cancel');
    }
  }

  async #cancelWaiting(jobId: string, user: Caller): Promise<JobEntity | undefined> {
    const now = new Date();
    const row = await this.queue.change(jobId, {
      set: { status: 'cancelled', cancel_requested_at: now, cancelled_by: user.subject, completed_at: now },
      from: idleStatuses,
      events: [{ type: 'cancelled', data: { cancelled_by: user.subject } }],
      audit: await this.access.row(user, 'cancel', jobId),
    });
    if (row) this.metrics.cancelledWaiting(row);
    return row;
  }

  async #cancelRunning(jobId: string, user: Caller): Promise<JobEntity | undefined> {
    const row = await this.queue.change(jobId, {
      set: { cancel_requested_at: new Date(), cancelled_by: user.subject },
      from: ['running'],
      events: [{ type: 'cancel_requested', data: { cancelled_by: user.subject } }],
      audit: await this.access.row(user, 'cancel', jobId),
    });
    // The worker's grace begins now; nobody waits for it.
    if (row) void this.dispatcher.cancel(jobId);
    return row;
  }

  async change(jobId: string, request: ChangeJobDto, user: Caller): Promise<JobReplyDto> {
    await this.access.own(jobId, user, 'change');
    const set = {
      ...(request.tags ? { tags: request.tags } : {}),
      ...(request.priority ? { priority: request.priority } : {}),
    };
    const row = await this.queue.change(jobId, {
      set,
      events: [{ type: 'changed', data: set }],
      audit: await this.access.row(user, 'change', jobId, set),
      ...(request.priority ? { from: idleStatuses } : {}),
    });
    if (!row) throw await this.access.tooLate(jobId, 'change', 'change the priority of');
    this.news.queueChanged();
    return jobReply(this.#view(row, await this.jobs.position(row)), 'Job changed');
  }

  /** Puts an ended job back into the queue; it goes on from its last checkpoint. */
  async retry(jobId: string, user: Caller): Promise<JobReplyDto> {
    await this.access.own(jobId, user, 'retry');
    const row = await this.queue.change(jobId, {
      set: {
        status: 'pending',
        not_before: new Date(),
        failures: 0,
        run_seconds: 0,
        error_message: null,
        completed_at: null,
        cancel_requested_at: null,
        cancelled_by: null,
        pause_requested_at: null,
        paused_by: null,
      },
      from: ['failed', 'cancelled'],
      events: [{ type: 'retried', data: { by: user.subject } }],
      audit: await this.access.row(user, 'retry', jobId),
    });
    if (!row) throw await this.access.tooLate(jobId, 'retry');
    this.news.queueChanged();
    return jobReply(this.#view(row, await this.jobs.position(row)), `Job waits again: ${jobId}`);
  }

  #view(job: JobEntity, position: number | undefined): JobDto {
    return jobView(job, position, this.dispatcher.bottleneck, Date.now());
  }
}

const sum = (counts: Record<JobStatus, number>, statuses: readonly JobStatus[]): number =>
  statuses.reduce((all, status) => all + counts[status], 0);

function nextCursor(page: JobPage, limit: number): string | null {
  const last = page.jobs.at(-1);
  return last && page.jobs.length === limit ? encodeCursor(last.seq) : null;
}
