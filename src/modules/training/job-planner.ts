import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import type { Caller } from '../security/principal.port.js';
import type { ConfigRequest } from './config/context.js';
import { estimateJob } from './config/estimate-job.js';
import { PlanMemory } from './config/plan-memory.js';
import type { ResolvedJob } from './config/resolve-config.js';
import { Host } from './host.js';
import type { CreateJobDto, DryRunDto, EstimateDto } from './job.dto.js';
import type { ResolvedConfig } from './resolved-config.js';
import { RequestSources } from './request-sources.js';
import { TrainerEnvironment } from './trainer-environment.port.js';

/** Turns a request into what will run, on this machine, under these settings. */
@Injectable()
export class JobPlanner {
  readonly #plans: PlanMemory;

  constructor(
    settings: Settings,
    private readonly host: Host,
    private readonly environment: TrainerEnvironment,
    private readonly sources: RequestSources,
  ) {
    const { gpus, bf16, cores } = host;
    this.#plans = new PlanMemory({ settings, machine: { gpus, bf16, cores } });
  }

  /** @throws AppError `invalid` with every problem of the configuration, or why the dataset cannot be trained on */
  async plan(request: CreateJobDto, caller: Caller): Promise<ResolvedJob> {
    const { trainer_type, method = 'supervised', config_path, dataset_path, start_from } = request;
    const dataset = dataset_path ? await this.sources.dataset(dataset_path, caller) : undefined;
    return this.planned({
      trainer_type,
      method,
      config_path,
      dataset_path: dataset_path ?? null,
      dataset,
      ...(start_from ? { start_from: await this.sources.adapter(start_from) } : {}),
    });
  }

  /** Of what the application itself asks for. @throws AppError `invalid` */
  planned(request: ConfigRequest): Promise<ResolvedJob> {
    return this.#plans.plan({ ...request, default_model: this.environment.defaultModel() });
  }

  /** What a request would run with and need, without starting anything. */
  async dryRun(request: CreateJobDto, caller: Caller): Promise<DryRunDto> {
    const { config } = await this.plan(request, caller);
    return {
      success: true,
      dry_run: true,
      message: 'Nothing was started',
      warnings: config.warnings,
      config: { ...config.run },
      ...(await this.estimate(config)),
    };
  }

  /** What a configuration is estimated to need on this machine. */
  async estimate(config: ResolvedConfig): Promise<EstimateDto> {
    const { gpus, bf16, memoryBytes } = this.host;
    const place = { device: gpus > 0 ? ('gpu' as const) : ('cpu' as const), bf16, available_bytes: memoryBytes };
    const found = await estimateJob(config, this.environment.defaultModel(), place);
    return 'reason' in found ? { estimate: null, reason: found.reason } : { estimate: found, reason: null };
  }
}
