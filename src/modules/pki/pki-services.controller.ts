import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Requires } from '../security/access.port.js';
import { CurrentUser, type Caller } from '../security/principal.port.js';
import { envelope } from './envelope.js';
import { ServiceDto } from './pki.dto.js';
import { ServiceRegistry } from './service-registry.js';

@ApiTags('pki')
@Requires('pki:manage')
@Controller('api/v1/services')
export class PkiServicesController {
  constructor(private readonly services: ServiceRegistry) {}

  @Post('register')
  @HttpCode(200)
  @ApiOperation({ summary: 'Enter a service; 409 where it is known' })
  async register(@Body() dto: ServiceDto, @CurrentUser() caller: Caller) {
    const { service_id, service_name, endpoints = [], metadata = {}, health_check_url = null } = dto;
    const service = { service_id, service_name, endpoints, metadata, health_check_url };
    return envelope('Service registered', await this.services.register(service, caller));
  }

  @Get()
  @ApiOperation({ summary: 'All registered services' })
  async list() {
    const services = await this.services.list();
    return envelope(`${services.length} service(s)`, services);
  }

  @Get(':service_id')
  @ApiOperation({ summary: 'One registered service' })
  async one(@Param('service_id') id: string) {
    return envelope('Service found', await this.services.one(id));
  }
}
