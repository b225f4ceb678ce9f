import { Injectable } from '@nestjs/common';
import type { Caller } from '../security/principal.port.js';
import { DispatcherService } from './dispatcher.service.js';
import { JobAccess } from './job-access.service.js';
import type { JobReplyDto } from './job.dto.js';
import type { JobEntity } from './job.entity.js';
import { JobNews } from './job-news.js';
import { JobQueueStore } from './job-queue.store.js';
import { isFinal, isWaiting, waitingStatuses } from './job-state.js';
import { JobStore } from './job.store.js';
import { jobReply, jobView } from './job-view.js';

const ROUNDS = 20;

/** Takes jobs out of their slot, or out of the queue, until somebody lets them go on. */
@Injectable()
export class JobPauses {
  constructor(
    private readonly jobs: JobStore,
    private readonly queue: JobQueueStore,
    private readonly access: JobAccess,
    private readonly dispatcher: DispatcherService,
    private readonly news: JobNews,
  ) {}

  async pause(jobId: string, user: Caller): Promise<JobReplyDto> {
    const job = await this.recordPause(jobId, user);
    return this.#reply(job, job.status === 'paused' ? `Job paused: ${jobId}` : `Job is being paused: ${jobId}`);
  }

  async resume(jobId: string, user: Caller): Promise<JobReplyDto> {
    return this.#reply(await this.recordResume(jobId, user), `Job goes on: ${jobId}`);
  }

  /**
   * Records the wish and answers at once: a waiting job is paused, a running one is asked to save and end. A job that
   * changes between the two meanwhile is caught in one of the next rounds; asking twice changes nothing.
   */
  async recordPause(jobId: string, user: Caller): Promise<JobEntity> {
    for (let round = 1; ; round += 1) {
      const job = await this.access.own(jobId, user, 'pause');
      if (job.status === 'paused') return job;
      if (job.status === 'running' && job.pause_requested_at && !job.cancel_requested_at) return job;
      const row = isWaiting(job.status) ? await this.#pauseWaiting(jobId, user) : await this.#pauseRunning(jobId, user);
      if (row) return row;
      if (isFinal(job.status) || job.cancel_requested_at || round === ROUNDS)
        throw await this.access.tooLate(jobId, 'pause');
    }
  }

  async #pauseWaiting(jobId: string, user: Caller): Promise<JobEntity | undefined> {
    const row = await this.queue.change(jobId, {
      set: { status: 'paused', paused_by: user.subject, pause_requested_at: null },
      from: waitingStatuses,
      wish: 'uncancelled',
      events: [{ type: 'paused', data: { paused_by: user.subject } }],
      audit: await this.access.row(user, 'pause', jobId),
    });
    if (row) this.news.queueChanged();
    return row;
  }

  async #pauseRunning(jobId: string, user: Caller): Promise<JobEntity | undefined> {
    const row = await this.queue.change(jobId, {
      set: { pause_requested_at: new Date(), paused_by: user.subject },
      from: ['running'],
      wish: 'uncancelled',
      events: [{ type: 'pause_requested', data: { paused_by: user.subject } }],
      audit: await this.access.row(user, 'pause', jobId),
    });
    // The worker's grace begins now; nobody waits for it.
    if (row) void this.dispatcher.pause(jobId);
    return row;
  }

  /** A paused job waits for its turn again; one that still saves does not stay away when it has saved. */
  async recordResume(jobId: string, user: Caller): Promise<JobEntity> {
    for (let round = 1; ; round += 1) {
      const { status } = await this.access.own(jobId, user, 'resume');
      const row = status === 'paused' ? await this.#resumePaused(jobId, user) : await this.#withdraw(jobId, user);
      if (row) return row;
      const now = await this.access.find(jobId);
      if (now.status !== 'paused' || round === ROUNDS) throw await this.access.tooLate(jobId, 'resume');
    }
  }

  async #resumePaused(jobId: string, user: Caller): Promise<JobEntity | undefined> {
    const row = await this.queue.change(jobId, {
      set: { status: 'queued', not_before: new Date(), paused_by: null, pause_requested_at: null },
      from: ['paused'],
      events: [{ type: 'resumed', data: { resumed_by: user.subject } }],
      audit: await this.access.row(user, 'resume', jobId),
    });
    if (row) this.news.queueChanged();
    return row;
  }

  async #withdraw(jobId: string, user: Caller): Promise<JobEntity | undefined> {
    return this.queue.change(jobId, {
      set: { pause_requested_at: null, paused_by: null },
      from: ['running'],
      wish: 'pausing',
      events: [{ type: 'resumed', data: { resumed_by: user.subject } }],
      audit: await this.access.row(user, 'resume', jobId),
    });
  }

  async #reply(job: JobEntity, message: string): Promise<JobReplyDto> {
    const position = await this.jobs.position(job);
    return jobReply(jobView(job, position, this.dispatcher.bottleneck, Date.now()), message);
  }
}
