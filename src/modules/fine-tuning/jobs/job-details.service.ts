import { Injectable } from '@nestjs/common';
import { AppError } from '../../../kernel/errors.js';
import { checkpointModelId } from '../../adapters/checkpoint-versions.port.js';
import type { Caller } from '../../security/principal.port.js';
import { FineTuningJobs } from '../../training/fine-tuning-jobs.port.js';
import { unixSeconds } from '../files/openai-file.js';
import { openAiList } from '../openai-list.js';
import { FineTuningJobsService } from './fine-tuning-jobs.service.js';
import { checkpointMetrics, earlyEvents, FIRST_OF_TRAINING, trainingEvent } from './job-events.js';
import { checkpointId, eventPosition } from './job-ids.js';
import type {
  CheckpointsQuery,
  JobCheckpointDto,
  JobCheckpointListDto,
  JobEventListDto,
  PageQuery,
} from './job-object.dto.js';
import { JobResults } from './job-results.service.js';

/** Events and checkpoints of a job. */
@Injectable()
export class JobDetails {
  constructor(
    private readonly jobs: FineTuningJobsService,
    private readonly training: FineTuningJobs,
    private readonly results: JobResults,
  ) {}

  /** Newest first, as OpenAI's. */
  async events(id: string, { after, limit }: PageQuery, caller: Caller): Promise<JobEventListDto> {
    const { row: found, training } = await this.jobs.find(id, caller);
    const row = await this.results.settled(found, training);
    const before = after === undefined ? undefined : eventPosition(id, after);
    if (after !== undefined && before === undefined) throw noSuch('event', after);
    const later = training ? await this.#trainingEvents(training.jobId, limit + 1, before) : [];
    const early = earlyEvents(row).filter((event) => (eventPosition(id, event.id) ?? 0) < (before ?? Infinity));
    return openAiList([...later.map((event) => trainingEvent(event, row)), ...early], limit);
  }

  async #trainingEvents(jobId: string, limit: number, before: number | undefined) {
    if (before === undefined) return this.training.events(jobId, { limit });
    const number = before - FIRST_OF_TRAINING;
    return number > 1 ? this.training.events(jobId, { limit, before: number }) : [];
  }

  /** Those of a job that has succeeded, newest first: each is a model of its own. */
  async checkpoints(id: string, { after, limit }: CheckpointsQuery, caller: Caller): Promise<JobCheckpointListDto> {
    const { row: found, training } = await this.jobs.find(id, caller);
    const { fine_tuned_model: model } = await this.results.settled(found, training);
    const all = model !== null && training ? await this.training.checkpoints(training.jobId) : [];
    const shown = all.map(({ step, createdAt, metrics }): JobCheckpointDto => ({
      id: checkpointId(id, step),
      object: 'fine_tuning.job.checkpoint',
      created_at: unixSeconds(createdAt),
      fine_tuned_model_checkpoint: checkpointModelId(model ?? '', step),
      fine_tuning_job_id: id,
      metrics: { step, ...checkpointMetrics(metrics) },
      step_number: step,
    }));
    const start = after === undefined ? 0 : shown.findIndex((checkpoint) => checkpoint.id === after) + 1;
    if (after !== undefined && start === 0) throw noSuch('checkpoint', after);
    return openAiList(shown.slice(start, start + limit + 1), limit);
  }
}

const noSuch = (what: string, id: string): AppError =>
  new AppError('bad_request', `after: there is no ${what} ${id} of this job`, [
    { path: 'after', message: `is no ${what} of this job` },
  ]);
