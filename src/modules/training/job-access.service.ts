import { Injectable } from '@nestjs/common';
import { AppError } from '../../kernel/errors.js';
import { isUuid } from '../../kernel/uuid.js';
import { AuditTrail } from '../audit/audit.port.js';
import { isAdmin, type Caller } from '../security/principal.port.js';
import type { JobEntity } from './job.entity.js';
import { isFinal, shownStatus } from './job-state.js';
import { JobStore } from './job.store.js';

type Verb = 'cancel' | 'change' | 'pause' | 'resume' | 'retry';

const only: Partial<Record<Verb, string>> = {
  retry: 'only failed and cancelled jobs can be retried',
  resume: 'only paused jobs can be resumed',
};

/** Whose a job is, and what is recorded of a change. */
@Injectable()
export class JobAccess {
  constructor(
    private readonly jobs: JobStore,
    private readonly audit: AuditTrail,
  ) {}

  /** @throws AppError `not_found` */
  async find(jobId: string): Promise<JobEntity> {
    const job = isUuid(jobId) ? await this.jobs.byId(jobId) : undefined;
    if (!job) throw new AppError('not_found', `Job not found: ${jobId}`);
    return job;
  }

  /** A trainer changes jobs of their own; an admin all. @throws AppError `not_found`, `forbidden` */
  async own(jobId: string, user: Caller, verb: Verb): Promise<JobEntity> {
    const job = await this.find(jobId);
    if (isAdmin(user) || job.created_by === user.subject) return job;
    this.audit.refused(user, { action: `training.job.${verb}`, target: { type: 'training_job', id: jobId } });
    throw new AppError('forbidden', `Job ${jobId} is not yours: only who created it or an admin may ${verb} it`);
  }

  /** The audit row of a change, for its own transaction. */
  row(user: Caller, verb: Verb, jobId: string, detail: Record<string, unknown> = {}): Promise<string | null> {
    const target = { type: 'training_job', id: jobId };
    return this.audit.row(user, { action: `training.job.${verb}`, target, outcome: 'done', detail });
  }

  /** What to answer where the state of the job forbids it. */
  async tooLate(jobId: string, verb: Verb, doing: string = verb): Promise<AppError> {
    const { status, cancel_requested_at: cancelled } = await this.find(jobId);
    const shown = status === 'paused' ? `${shownStatus(status)} (paused)` : status;
    const why = isFinal(status) ? 'it has ended' : cancelled ? 'it is being cancelled' : `it is ${status}`;
    return new AppError('conflict', `Cannot ${doing} job ${jobId}: its status is ${shown}; ${only[verb] ?? why}`);
  }
}
