import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { AppError } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { AttemptEnd } from './attempt-end.js';
import type { JobEntity } from './job.entity.js';
import { JobQueueStore } from './job-queue.store.js';
import { JobStore } from './job.store.js';
import { Launcher, type LaunchOptions } from './launcher.port.js';
import { buildRun } from './run-builder.js';
import type { RunFile } from './run-contract.generated.js';
import { exists, type RunFolder } from './run-folder.js';
import { Supervisor } from './supervisor.js';
import { TrainerEnvironment } from './trainer-environment.port.js';

const LOOKED_AT = 50;

/** Starts attempts, or finds their workers again. */
@Injectable()
export class AttemptStart {
  constructor(
    private readonly jobs: JobStore,
    private readonly queue: JobQueueStore,
    private readonly launcher: Launcher,
    private readonly environment: TrainerEnvironment,
    private readonly settings: Settings,
    private readonly end: AttemptEnd,
    private readonly log: Log,
  ) {}

  /** @param running trainings on this host, this one counted: they share the cores */
  supervise(job: JobEntity, folder: RunFolder, how: 'launch' | 'adopt', running: number): Supervisor {
    const { cancelGraceSeconds, timeoutSeconds, maxAttempts, retryDelaySeconds } = this.settings.training;
    const tools = {
      queue: this.queue,
      launcher: this.launcher,
      end: this.end,
      log: this.log,
      cancelGraceSeconds,
      timeoutSeconds,
      retry: { maxAttempts, retryDelaySeconds },
    };
    const threads = Math.max(1, Math.floor(this.settings.training.cores / running));
    return new Supervisor(job, folder, tools, (onExit) =>
      how === 'launch' ? this.#launch(job, folder, { threads, onExit }) : this.#adopt(job, folder, { threads, onExit }),
    );
  }

  async #launch(job: JobEntity, folder: RunFolder, options: LaunchOptions): Promise<'launched'> {
    const run = await this.#run(job);
    await folder.prepare(run);
    await this.launcher.submit(folder, run, options);
    return 'launched';
  }

  /** An attempt that was claimed but never launched is launched now; the fence keeps a late first owner out. */
  async #adopt(job: JobEntity, folder: RunFolder, options: LaunchOptions): Promise<'launched' | 'found'> {
    await folder.raiseFence(job.fence);
    await folder.touchHeartbeat();
    if ((await this.launcher.find(folder)).alive) return 'found';
    if ((await folder.launcher()) || (await exists(folder.events)) || (await folder.exit())) return 'found';
    return this.#launch(job, folder, options);
  }

  async #run(job: JobEntity): Promise<RunFile> {
    const config = await this.jobs.config(job.job_id);
    const defaultModel = this.environment.defaultModel();
    if (!config) throw new Error('the configuration of the job is gone');
    if (defaultModel === undefined) throw new AppError('unavailable', 'the default base model is not there yet');
    const startFrom = job.trainer_type === 'continuous' ? await this.#startFrom(job, config.continuous?.adapter) : null;
    const resumeFrom = await this.#resumeFrom(job);
    return buildRun(job, config, {
      defaultModel,
      startFrom,
      resumeFrom,
      orphanSeconds: this.settings.training.orphanSeconds,
    });
  }

  /** A checkpoint that somebody removed is no place to go on from: the training begins again, and says so. */
  async #resumeFrom(job: JobEntity): Promise<string | null> {
    if (job.resume_from === null || (await exists(job.resume_from))) return job.resume_from;
    const message = `the checkpoint ${job.resume_from} is gone: the training begins again`;
    await this.queue.change(job.job_id, {
      set: { resume_from: null },
      events: [{ type: 'resolved', data: { resume_from: null, message } }],
      fence: job.fence,
    });
    return null;
  }

  /** One whose files are there: a retired adapter has none. */
  async #newestAdapter(baseModel: string): Promise<Pick<JobEntity, 'job_id' | 'adapter_path'> | undefined> {
    for (const job of await this.jobs.adapters(baseModel, LOOKED_AT))
      if (job.adapter_path !== null && (await exists(job.adapter_path))) return job;
    return undefined;
  }

  /** The adapter that is named, else the newest completed one of the base model, else none: a new one. */
  async #startFrom(job: JobEntity, named: string | undefined): Promise<string | null> {
    const found =
      named === undefined || named === 'auto' ? await this.#newestAdapter(job.base_model) : await this.jobs.byId(named);
    const path = found?.adapter_path ?? null;
    if (path === null && named !== undefined && named !== 'auto')
      throw new AppError('invalid', `continuous.adapter: job ${named} has no adapter; name a completed job, or auto`);
    await this.queue.change(job.job_id, {
      set: {},
      events: [
        {
          type: 'resolved',
          data: { start_from: path, from_job: found?.job_id ?? null, message: describe(found?.job_id) },
        },
      ],
      fence: job.fence,
    });
    return path;
  }
}

const describe = (jobId: string | undefined): string =>
  jobId ? `trains the adapter of job ${jobId} further` : 'no completed adapter of this base model: a new one is made';
