import { Controller, Get, HttpCode, Inject, Optional, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Settings } from '../../config/settings.js';
import { Clock } from '../../kernel/clock.js';
import { AppError } from '../../kernel/errors.js';
import { Requires } from '../security/access.port.js';
import { Certificates } from './certificates.service.js';
import { certificateView, envelope } from './envelope.js';
import { OwnIdentity } from './own-identity.js';
import { EndingQuery } from './pki.dto.js';
import { ServiceIdentity } from './service-identity.port.js';

/** How the certificate of the application itself is renewed, and what else ends soon. Other services renew their own. */
@ApiTags('pki')
@Requires('pki:manage')
@Controller('api/v1/auto-renewal')
export class AutoRenewalController {
  constructor(
    private readonly certificates: Certificates,
    private readonly settings: Settings,
    private readonly clock: Clock,
    @Optional() @Inject(ServiceIdentity) private readonly identity: ServiceIdentity | undefined,
  ) {}

  @Get('status')
  @ApiOperation({ summary: 'Whether the own certificate is renewed, and when' })
  status() {
    const { renewDays } = this.settings.pki.certificate;
    const current = this.identity?.current();
    return envelope('Renewal of the own certificate', {
      enabled: this.identity instanceof OwnIdentity,
      threshold_days: renewDays,
      serial_number: current?.serial ?? null,
      not_after: current?.notAfter.toISOString() ?? null,
    });
  }

  @Get('certificates')
  @ApiOperation({ summary: 'The last certificate of each service that ends soon' })
  async ending(@Query() { days = this.settings.pki.certificate.renewDays }: EndingQuery) {
    const rows = await this.certificates.ending(days);
    return envelope(
      `${rows.length} certificate(s) end within ${days} days`,
      rows.map((row) => certificateView(row, this.clock.now())),
    );
  }

  @Post('force-check')
  @HttpCode(200)
  @ApiOperation({ summary: 'Look at once whether the own certificate is due' })
  async check() {
    await this.#own().check();
    return this.status();
  }

  @Post('start')
  @HttpCode(200)
  @ApiOperation({ summary: 'The own certificate is always renewed; says so' })
  start() {
    this.#own();
    return this.status();
  }

  @Post('stop')
  @ApiOperation({ summary: 'Refused: a certificate that ends closes every door' })
  stop(): never {
    throw new AppError(
      'conflict',
      'The own certificate is renewed as long as the application runs; one that ends closes every door that speaks TLS',
    );
  }

  #own(): OwnIdentity {
    if (this.identity instanceof OwnIdentity) return this.identity;
    throw new AppError('conflict', 'The own certificate comes from an outside CA (SERVICE_CERT_PATH); renew it there');
  }
}
