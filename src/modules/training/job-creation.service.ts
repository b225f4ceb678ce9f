import { createHash, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppError } from '../../kernel/errors.js';
import { AuditTrail } from '../audit/audit.port.js';
import { CreationLimit } from '../limits/creation-limit.port.js';
import type { Caller } from '../security/principal.port.js';
import type { ResolvedJob } from './config/resolve-config.js';
import { DispatcherService } from './dispatcher.service.js';
import type { CreateJobDto, JobReplyDto } from './job.dto.js';
import type { JobEntity } from './job.entity.js';
import type { NewJob } from './job-insert.js';
import { JobPlanner } from './job-planner.js';
import { JobQueueStore, type IdempotencyKey } from './job-queue.store.js';
import { jobReply, jobView } from './job-view.js';
import type { JobOrder } from './resolved-config.js';
import { TrainingMetrics } from './training-metrics.js';

const LONGEST_KEY = 255;

/** A job that is planned, and who wants it. */
export interface PlannedJob {
  plan: ResolvedJob;
  trainer_type: JobEntity['trainer_type'];
  method: JobEntity['method'];
  dataset_path: string | null;
  priority?: number | undefined;
  tags?: string[] | undefined;
  order?: JobOrder;
  /** What the request was, for its idempotency key. */
  request: object;
  user: Caller;
}

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
    const { trainer_type, method = 'supervised', priority, tags, dataset_path } = request;
    const planned = { plan, trainer_type, method, priority, tags, dataset_path: dataset_path ?? null, request, user };
    const job = await this.record(planned, idempotencyKey);
    const view = jobView(job, undefined, this.dispatcher.bottleneck, Date.now());
    return jobReply(view, `Training job created: ${job.job_id}`);
  }

  /** Writes a planned job; a repeated idempotency key answers with the first. */
  async record(planned: PlannedJob, idempotencyKey?: string): Promise<JobEntity> {
    const { plan, trainer_type, method, user } = planned;
    const key = idempotencyOf(planned.request, user, idempotencyKey);
    const jobId = randomUUID();
    const config = planned.order ? { ...plan.config, order: planned.order } : plan.config;
    const job = await this.#write(
      {
        job_id: jobId,
        trainer_type,
        method,
        config_path: plan.config_path,
        dataset_path: plan.config.dataset?.reference ?? planned.dataset_path,
        output_dir: plan.output_dir,
        priority: planned.priority ?? 1,
        tags: planned.tags ?? [],
        created_by: user.subject,
        base_model: plan.base_model,
        gpus: plan.gpus,
        total_epochs: plan.total_epochs,
        config,
        audit: await this.#auditRow(jobId, planned),
      },
      key,
    );
    if (job.job_id === jobId) this.metrics.created(job);
    return job;
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

  #auditRow(jobId: string, { plan, trainer_type, method, user }: PlannedJob): Promise<string | null> {
    const target = { type: 'training_job', id: jobId };
    const { dataset, run } = plan.config;
    const detail = {
      trainer_type,
      config_path: plan.config_path,
      ...(method === 'supervised' ? {} : { method }),
      ...(run.adapter.start_from === null ? {} : { start_from: run.adapter.start_from }),
      ...(dataset ? { dataset } : {}),
    };
    return this.audit.row(user, { action: 'training.job.create', target, outcome: 'done', detail });
  }
}

function idempotencyOf(request: object, user: Caller, key: string | undefined): IdempotencyKey | undefined {
  if (key === undefined || key === '') return undefined;
  if (key.length > LONGEST_KEY)
    throw new AppError('bad_request', `Idempotency-Key has ${key.length} characters; ${LONGEST_KEY} are the most`);
  return {
    subject: user.subject,
    key,
    requestHash: createHash('sha256').update(JSON.stringify(request)).digest('hex'),
  };
}
