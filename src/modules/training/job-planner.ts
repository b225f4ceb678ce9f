import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { AppError } from '../../kernel/errors.js';
import { estimateJob } from './config/estimate-job.js';
import { PlanMemory } from './config/plan-memory.js';
import type { ResolvedJob } from './config/resolve-config.js';
import { Host } from './host.js';
import type { CreateJobDto, DryRunDto, EstimateDto } from './job.dto.js';
import { JobStore } from './job.store.js';
import type { ResolvedConfig } from './resolved-config.js';
import { TrainerEnvironment } from './trainer-environment.port.js';

/** Turns a request into what will run, on this machine, under these settings. */
@Injectable()
export class JobPlanner {
  readonly #plans: PlanMemory;

  constructor(
    settings: Settings,
    private readonly host: Host,
    private readonly environment: TrainerEnvironment,
    private readonly jobs: JobStore,
  ) {
    const { gpus, bf16, cores } = host;
    this.#plans = new PlanMemory({ settings, machine: { gpus, bf16, cores } });
  }

  plan(request: CreateJobDto): Promise<ResolvedJob> {
    const { trainer_type, config_path, dataset_path } = request;
    return this.#plans.plan({ trainer_type, config_path, dataset_path: dataset_path ?? null });
  }

  /** What a request would run with and need, without starting anything. */
  async dryRun(request: CreateJobDto): Promise<DryRunDto> {
    const { config } = await this.plan(request);
    return {
      success: true,
      dry_run: true,
      message: 'Nothing was started',
      warnings: config.warnings,
      config: { ...config.run },
      ...(await this.estimate(config)),
    };
  }

  async estimateOf(job: { job_id: string }): Promise<EstimateDto & { success: true; job_id: string }> {
    const config = await this.jobs.config(job.job_id);
    if (!config) throw new AppError('not_found', `Job not found: ${job.job_id}`);
    return { success: true, job_id: job.job_id, ...(await this.estimate(config)) };
  }

  private async estimate(config: ResolvedConfig): Promise<EstimateDto> {
    const { gpus, bf16, memoryBytes } = this.host;
    const place = { device: gpus > 0 ? ('gpu' as const) : ('cpu' as const), bf16, available_bytes: memoryBytes };
    const found = await estimateJob(config, this.environment.defaultModel(), place);
    return 'reason' in found ? { estimate: null, reason: found.reason } : { estimate: found, reason: null };
  }
}
