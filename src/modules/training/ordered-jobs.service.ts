import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { AppError } from '../../kernel/errors.js';
import { isUuid } from '../../kernel/uuid.js';
import type { Caller } from '../security/principal.port.js';
import { readModelFacts } from './config/model-facts.js';
import { checkpointList } from './checkpoint-list.js';
import { newestFirst } from './checkpoints.js';
import {
  FineTuningJobs,
  type FineTuningCheckpoint,
  type FineTuningEvent,
  type FineTuningJob,
  type FineTuningOrder,
  type FineTuningParameters,
} from './fine-tuning-jobs.port.js';
import { JobCreation } from './job-creation.service.js';
import { JobPauses } from './job-pauses.service.js';
import { JobPlanner } from './job-planner.js';
import { jobOf, parametersOf, requestOf } from './ordered-job.js';
import { OrderedJobStore } from './ordered-jobs.store.js';
import { DEFAULT_MODEL } from './resolved-config.js';
import { RunFolder } from './run-folder.js';
import { TrainerEnvironment } from './trainer-environment.port.js';
import { TrainingService } from './training.service.js';

/** Jobs that another module orders; each is a job like any other, with its audit rows, events and limits. */
@Injectable()
export class OrderedJobs extends FineTuningJobs {
  constructor(
    private readonly store: OrderedJobStore,
    private readonly creation: JobCreation,
    private readonly planner: JobPlanner,
    private readonly training: TrainingService,
    private readonly pauses: JobPauses,
    private readonly settings: Settings,
    private readonly environment: TrainerEnvironment,
  ) {
    super();
  }

  async defaults(): Promise<FineTuningParameters> {
    const { config } = await this.planner.planned(requestOf({ method: 'supervised' }, this.settings.openai.config));
    return parametersOf(config.run);
  }

  async parametersOf(baseModel: string): Promise<number | undefined> {
    const folder = baseModel === DEFAULT_MODEL ? this.environment.defaultModel() : baseModel;
    if (folder !== undefined) return (await readModelFacts(folder))?.parameters;
    throw new AppError('unavailable', 'The default base model is not made yet; try again when /readyz is ready');
  }

  async create(order: FineTuningOrder, caller: Caller): Promise<FineTuningJob> {
    const request = requestOf(order, this.settings.openai.config);
    const plan = await this.planner.planned(request);
    const job = await this.creation.record(
      {
        plan,
        trainer_type: request.trainer_type,
        method: order.method,
        dataset_path: order.trainingFile.reference,
        tags: order.tags,
        order: {
          suffix: order.suffix ?? null,
          metadata: order.metadata ?? {},
          keep_checkpoints: order.keepCheckpoints ?? 0,
        },
        request: order,
        user: caller,
      },
      order.idempotencyKey,
    );
    return this.#known(job.job_id);
  }

  async find(jobId: string): Promise<FineTuningJob | undefined> {
    return isUuid(jobId) ? (await this.findAll([jobId]))[0] : undefined;
  }

  async findAll(jobIds: readonly string[]): Promise<FineTuningJob[]> {
    return (await this.store.byIds(jobIds)).map(jobOf);
  }

  async cancel(jobId: string, caller: Caller): Promise<FineTuningJob> {
    await this.#known(jobId);
    await this.training.cancel(jobId, caller);
    return this.#known(jobId);
  }

  async pause(jobId: string, caller: Caller): Promise<FineTuningJob> {
    await this.#known(jobId);
    await this.pauses.recordPause(jobId, caller);
    return this.#known(jobId);
  }

  async resume(jobId: string, caller: Caller): Promise<FineTuningJob> {
    await this.#known(jobId);
    await this.pauses.recordResume(jobId, caller);
    return this.#known(jobId);
  }

  events(jobId: string, page: { limit: number; before?: number }): Promise<FineTuningEvent[]> {
    return this.store.events(jobId, page);
  }

  async checkpoints(jobId: string): Promise<FineTuningCheckpoint[]> {
    const [job] = await this.store.byIds([jobId]);
    if (!job?.run_dir) return [];
    const paths = await new RunFolder(job.run_dir).checkpoints().catch(() => []);
    // What is left of others a moment after the end is about to go.
    const kept = job.status === 'completed' ? job.config.order?.keep_checkpoints : undefined;
    return checkpointList(newestFirst(paths).slice(0, kept), await this.store.reports(jobId));
  }

  async #known(jobId: string): Promise<FineTuningJob> {
    const job = await this.find(jobId);
    if (!job) throw new AppError('not_found', `Job not found: ${jobId}`);
    return job;
  }
}
