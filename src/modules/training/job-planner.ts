import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { resolveConfig, type ResolvedJob } from './config/resolve-config.js';
import { Host } from './host.js';
import type { CreateJobDto } from './job.dto.js';

/** Turns a request into what will run, on this machine, under these settings. */
@Injectable()
export class JobPlanner {
  constructor(
    private readonly settings: Settings,
    private readonly host: Host,
  ) {}

  plan(request: CreateJobDto): Promise<ResolvedJob> {
    const { gpus, bf16, cores } = this.host;
    return resolveConfig(
      { trainer_type: request.trainer_type, config_path: request.config_path, dataset_path: request.dataset_path ?? null },
      { settings: this.settings, machine: { gpus, bf16, cores } },
    );
  }
}
