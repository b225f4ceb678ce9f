import { Controller, Get, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { serviceOf, type ServiceName } from '../../kernel/service-port.js';
import { Opens } from '../security/access.port.js';

const VERSION = '1.0.0';
const common = { health: '/health', ready: '/readyz', docs: '/docs' };

const endpoints: Record<ServiceName, Record<string, string>> = {
  main: { ...common, metrics: '/metrics' },
  ingestion: { ...common, upload: '/upload/files', jobs: '/jobs', file_types: '/capabilities', websocket: '/ws/jobs' },
  training: { health: '/health', training_jobs: '/api/training/jobs', websocket: '/ws/training', docs: '/docs' },
  dataset: { ...common, datasets: '/api/datasets', search: '/api/datasets/search', documents: '/api/documents' },
  serving: { ...common, adapters: '/api/serving/adapters/list', status: '/api/serving/router/status' },
  metrics: { health: '/health', metrics: '/metrics' },
  pki: { health: '/health', ca: '/api/v1/ca/chain', crl: '/api/v1/crl' },
};

/** `/` says which service a port is; on the metrics port its door leads to the metrics, as in the original. */
@ApiTags('health')
@Controller()
export class RootController {
  @Opens('open')
  @Get()
  @ApiOperation({ summary: 'The service on this port and its endpoints; on the metrics port the metrics' })
  root(@Req() request: Request): object {
    const { service } = serviceOf(request);
    return {
      service: `clara_${service}_backend`,
      version: VERSION,
      status: 'operational',
      endpoints: endpoints[service],
    };
  }
}
