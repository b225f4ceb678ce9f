import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { serviceOf, type ServiceName } from '../../kernel/service-port.js';
import { Opens } from '../security/access.port.js';
import { MetricsService } from './metrics.service.js';

const VERSION = '1.0.0';
const common = { health: '/health', ready: '/readyz', docs: '/docs' };

const endpoints: Record<Exclude<ServiceName, 'metrics'>, Record<string, string>> = {
  main: { ...common, metrics: '/metrics' },
  ingestion: common,
  training: { health: '/health', training_jobs: '/api/training/jobs', websocket: '/ws/training', docs: '/docs' },
  dataset: common,
  serving: common,
  pki: { health: '/health', ca: '/api/v1/ca/chain', crl: '/api/v1/crl' },
};

/** `/` says which service a port is; on the metrics port it is the metrics, as in the original. */
@ApiTags('health')
@Controller()
export class RootController {
  constructor(private readonly metrics: MetricsService) {}

  @Opens('open')
  @Get()
  @ApiOperation({ summary: 'The service on this port and its endpoints; on the metrics port the metrics' })
  async root(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<unknown> {
    const { service } = serviceOf(request);
    if (service !== 'metrics')
      return {
        service: `clara_${service}_backend`,
        version: VERSION,
        status: 'operational',
        endpoints: endpoints[service],
      };
    response.type(this.metrics.contentType);
    return this.metrics.page();
  }
}
