import { Controller, Get, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { serviceOf } from '../../kernel/service-port.js';
import { Opens } from '../security/access.port.js';
import { AliveDto, HealthDto, LivenessDto, ReadinessDto, ReadyDto } from './health.dto.js';
import { ReadinessService } from './readiness.service.js';
import { ServiceFacts } from './service-facts.js';

/** Health as the original answers it, for the service whose port was asked; and the probes of today. */
@ApiTags('health')
@Opens('open')
@Controller()
export class HealthController {
  constructor(
    private readonly readiness: ReadinessService,
    private readonly services: ServiceFacts,
  ) {}

  @Get('health')
  @ApiOperation({ summary: 'Health of the service on this port; 503 while the database is away' })
  async health(@Req() request: Request): Promise<HealthDto> {
    const { service, port } = serviceOf(request);
    const facts = await this.services.of(service);
    const timestamp = new Date().toISOString().slice(0, -1);
    return {
      status: 'healthy',
      service: `clara_${service}_backend`,
      port,
      ...facts,
      timestamp,
    };
  }

  @Get('live')
  @ApiOperation({ summary: 'Liveness, as the original answers it' })
  alive(): AliveDto {
    return { status: 'alive' };
  }

  @Get('ready')
  @ApiOperation({ summary: 'Readiness, as the original answers it; 503 while the database does not answer' })
  async isReady(): Promise<ReadyDto> {
    const { status, details } = await this.readiness.check();
    return { ready: status === 'ok' || status === 'degraded', dependencies: details };
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
