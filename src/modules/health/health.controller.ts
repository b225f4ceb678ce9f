import { Controller, Get, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { Settings } from '../../config/settings.js';
import { API_VERSION } from '../../kernel/api-version.js';
import { serviceOf } from '../../kernel/service-port.js';
import { Opens } from '../security/access.port.js';
import { DatasetStatus } from '../dataset/dataset-status.port.js';
import { TrainingStatus } from '../training/training-status.port.js';
import { HealthDto, LivenessDto, ReadinessDto } from './health.dto.js';
import { ReadinessService } from './readiness.service.js';

/** Health as the original answers it, for the service whose port was asked; and the probes of today. */
@ApiTags('health')
@Opens('open')
@Controller()
export class HealthController {
  constructor(
    private readonly settings: Settings,
    private readonly jobs: TrainingStatus,
    private readonly datasets: DatasetStatus,
    private readonly readiness: ReadinessService,
  ) {}

  @Get('health')
  @ApiOperation({ summary: 'Health of the service on this port; 503 while the database is away' })
  async health(@Req() request: Request): Promise<HealthDto> {
    const { service, port } = serviceOf(request);
    const active = await this.jobs.activeCount();
    const timestamp = new Date().toISOString().slice(0, -1);
    const training = { active_jobs: active, max_concurrent_jobs: this.settings.training.maxConcurrentJobs };
    return {
      status: 'healthy',
      service: `clara_${service}_backend`,
      port,
      ...(service === 'training' ? training : {}),
      ...(service === 'dataset' ? { uds3_available: true, datasets_count: await this.datasets.total() } : {}),
      ...(service === 'pki' ? { version: API_VERSION } : {}),
      timestamp,
    };
  }

  @Get('healthz')
  @ApiOperation({ summary: 'Liveness: the process answers' })
  live(): LivenessDto {
    return { status: 'ok' };
  }

  @Get('readyz')
  @ApiOperation({ summary: 'Readiness: the database answers; and whether jobs can start' })
  ready(): Promise<ReadinessDto> {
    return this.readiness.check();
  }
}
