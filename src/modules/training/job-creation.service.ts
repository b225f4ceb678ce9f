import { createHash, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppError } from '../../kernel/errors.js';
import { AuditTrail } from '../audit/audit.port.js';
import { CreationLimit } from '../limits/creation-limit.port.js';
import type { Caller } from '../security/principal.port.js';
import { DispatcherService } from './dispatcher.service.js';
import type { CreateJobDto, JobReplyDto } from './job.dto.js';
import type { JobEntity } from './job.entity.js';
import type { NewJob } from './job-insert.js';
import { JobPlanner } from './job-planner.js';
import { JobQueueStore, type IdempotencyKey } from './job-queue.store.js';
import { jobReply, jobView } from './job-view.js';
import type { ResolvedConfig } from './resolved-config.js';
import { TrainingMetrics } from './training-metrics.js';

const LONGEST_KEY = 255;

/** Creates jobs, as many as their subject may. */
@Injectable()
export class JobCreation {
  constructor(
    private readonly queue: JobQueueStore,
    private readonly planner: JobPlanner,
    private readonly dispatcher: DispatcherService,
    private readonly metrics: TrainingMetrics,
    private readonly audit: AuditTrail,
    private readonly limit: CreationLimit,
  ) {}

  async create(request: CreateJobDto, user: Caller, idempotencyKey?: string): Promise<JobReplyDto> {
    const plan = await this.planner.plan(request, user);
    const jobId = randomUUID();
    const job = await this.#write(
      {
        job_id: jobId,
        trainer_type: request.trainer_type,
        config_path: request.config_path,
        dataset_path: plan.config.dataset?.reference ?? request.dataset_path ?? null,
        output_dir: plan.output_dir,
        priority: request.priority ?? 1,
        tags: request.tags ?? [],
        created_by: user.subject,
        base_model: plan.base_model,
        gpus: plan.gpus,
        total_epochs: plan.total_epochs,
        config: plan.config,
        audit: await this.#auditRow(jobId, request, plan.config.dataset, user),
      },
      idempotencyOf(request, user, idempotencyKey),
    );
    // A repeated Idempotency-Key answers with an older job.
    if (job.job_id === jobId) this.metrics.created(job);
    const view = jobView(job, undefined, this.dispatcher.bottleneck, Date.now());
    return jobReply(view, `Training job created: ${job.job_id}`);
  }

  /** A place of the limit is taken first, and given back where no job came of it. */
  async #write(job: NewJob, key: IdempotencyKey | undefined): Promise<JobEntity> {
    const place = this.limit.take(job.created_by);
    if (!place) return this.#repeated(job, key);
    try {
      const written = await this.queue.create(job, key);
      if (written.job_id !== job.job_id) place.giveBack();
      return written;
    } catch (error) {
      place.giveBack();
      throw error;
    }
  }

  /** Repeating a request creates nothing, so it is answered beyond the limit too. */
  async #repeated(job: NewJob, key: IdempotencyKey | undefined): Promise<JobEntity> {
    const first = key && (await this.queue.repeated(key));
    if (first) return first;
    throw this.limit.refusal(job.created_by);
  }

  #auditRow(
    jobId: string,
    { trainer_type, config_path }: CreateJobDto,
    dataset: ResolvedConfig['dataset'],
    user: Caller,
  ): Promise<string | null> {
    const target = { type: 'training_job', id: jobId };
    const detail = { trainer_type, config_path, ...(dataset ? { dataset } : {}) };
    return this.audit.row(user, { action: 'training.job.create', target, outcome: 'done', detail });
  }
}

function idempotencyOf(request: CreateJobDto, user: Caller, key: string | undefined): IdempotencyKey | undefined {
  if (key === undefined || key === '') return undefined;
  if (key.length > LONGEST_KEY)
    throw new AppError('bad_request', `Idempotency-Key has ${key.length} characters; ${LONGEST_KEY} are the most`);
  return {
    subject: user.subject,
    key,
    requestHash: createHash('sha256').update(JSON.stringify(request)).digest('hex'),
  };
}
