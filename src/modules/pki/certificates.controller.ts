import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Settings } from '../../config/settings.js';
import { Clock } from '../../kernel/clock.js';
import { AppError } from '../../kernel/errors.js';
import { AuditTrail } from '../audit/audit.port.js';
import { Opens, Requires } from '../security/access.port.js';
import { CurrentUser, type Caller } from '../security/principal.port.js';
import { Authority } from './authority.js';
import { publicKeyOf } from './certificate-request.js';
import { Certificates, type CertificateRow } from './certificates.service.js';
import { Enrolment } from './enrolment.js';
import { certificateView, envelope } from './envelope.js';
import { CertificateRequestDto, DownloadQuery, namesOf, RenewalDto, RevocationDto } from './pki.dto.js';
import { reasonNames, reasonOf } from './revocation.js';

const DEFAULT_DAYS = 365;
const PEM_TYPE = 'application/x-pem-file';

/** Certificates of services: requested, listed, renewed and revoked. */
@ApiTags('pki')
@Controller('api/v1/certificates')
export class CertificatesController {
  constructor(
    private readonly certificates: Certificates,
    private readonly enrolment: Enrolment,
    private readonly authority: Authority,
    private readonly settings: Settings,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
  ) {}

  @Opens('open')
  @Post('request')
  @HttpCode(200)
  @ApiOperation({ summary: 'Have a certificate request signed, with an enrolment token' })
  @ApiHeader({ name: 'x-enrolment-token', required: false, description: 'Or the field enrolment_token.' })
  async request(
    @Body() dto: CertificateRequestDto,
    @Req() request: Request & { id?: string },
    @Headers('x-enrolment-token') token?: string,
  ) {
    const from = { address: request.ip ?? '', requestId: request.id ?? '', certificate: null };
    try {
      const wish = { names: namesOf(dto), publicKey: await publicKeyOf(dto.csr), days: this.#days(dto.validity_days) };
      return this.#issued(
        'Certificate issued',
        await this.enrolment.enrol(token ?? dto.enrolment_token ?? '', wish, from),
      );
    } catch (error) {
      if (error instanceof AppError && (error.code === 'unauthorized' || error.code === 'forbidden'))
        this.audit.refused(from, { action: 'pki.certificate.issue', detail: { service_id: dto.service_id } });
      throw error;
    }
  }

  @Requires('pki:manage')
  @Get()
  @ApiOperation({ summary: 'All certificates, newest first' })
  async list() {
    const rows = await this.certificates.list();
    return envelope(
      `${rows.length} certificate(s)`,
      rows.map((row) => certificateView(row, this.clock.now())),
    );
  }

  @Requires('pki:manage')
  @Get(':service_id')
  @ApiOperation({ summary: 'The newest certificate of a service, or the one with that id or serial number' })
  async one(@Param('service_id') id: string) {
    return envelope('Certificate found', certificateView(await this.certificates.one(id), this.clock.now()));
  }

  @Requires('pki:manage')
  @Get(':service_id/download')
  @ApiOperation({ summary: 'The certificate or its chain, PEM; never a private key' })
  async download(@Param('service_id') id: string, @Query() { file_type }: DownloadQuery, @Res() response: Response) {
    if (file_type === 'key')
      throw new AppError('not_found', 'There are no private keys here: each stays with the service that made it');
    const row = await this.certificates.one(id);
    const isCa = file_type === 'ca';
    const name = `${row.service_id}-${isCa ? 'ca' : 'cert'}.pem`;
    response
      .type(PEM_TYPE)
      .attachment(name)
      .send(isCa ? this.#chain() : `${row.pem}\n`);
  }

  @Opens('known')
  @Post(':service_id/renew')
  @HttpCode(200)
  @ApiOperation({ summary: 'A new certificate for a new key, with the old certificate as the credential' })
  async renew(@Param('service_id') id: string, @Body() dto: RenewalDto, @CurrentUser() caller: Caller) {
    await this.#mustOwn(id, caller);
    const old = await this.certificates.valid(id);
    const names = { serviceId: old.service_id, commonName: old.common_name, dns: old.san_dns, ip: old.san_ip };
    const wish = { names, publicKey: await publicKeyOf(dto.csr), days: this.#days(dto.validity_days) };
    return this.#issued(
      'Certificate renewed',
      await this.certificates.issue({ ...wish, action: 'pki.certificate.renew' }, caller),
    );
  }

  @Requires('pki:manage')
  @Delete(':service_id/revoke')
  @ApiOperation({ summary: 'Revoke one certificate (id, serial number) or every valid one of a service' })
  async revoke(@Param('service_id') id: string, @Body() dto: RevocationDto | undefined, @CurrentUser() caller: Caller) {
    const text = dto?.reason ?? 'unspecified';
    const reason = reasonOf(text);
    if (!reason) {
      const message = `reason: ${JSON.stringify(text)} is not one of ${reasonNames.join(', ')}`;
      throw new AppError('invalid', message, [{ path: 'reason', message }]);
    }
    const rows = await this.certificates.revoke(id, reason, caller);
    return envelope(reason === 'removeFromCRL' ? 'Hold lifted' : 'Certificate revoked', {
      service_id: rows[0]?.service_id,
      reason,
      serial_numbers: rows.map(({ serial }) => serial),
    });
  }

  /** The holder of a valid certificate of the same service, or who manages the PKI. Others learn nothing of what exists. */
  async #mustOwn(id: string, caller: Caller): Promise<void> {
    if (caller.permissions.has('pki:manage')) return;
    const own = caller.certificate ? await this.certificates.bySerial(caller.certificate) : undefined;
    const isValid = own?.status === 'active' && own.not_after.getTime() > this.clock.now();
    if (isValid && [own.service_id, own.certificate_id, own.serial].includes(id)) return;
    this.audit.refused(caller, {
      action: 'pki.certificate.renew',
      target: { type: 'certificate', id: id.slice(0, 80) },
    });
    throw new AppError(
      'forbidden',
      'A certificate is renewed with the valid client certificate of the same service, or with pki:manage',
    );
  }

  #days(asked = DEFAULT_DAYS): number {
    return Math.min(asked, this.settings.pki.certificate.maxDays);
  }

  #issued(message: string, row: CertificateRow) {
    return envelope(message, {
      certificate_id: row.certificate_id,
      service_id: row.service_id,
      expires_at: row.not_after.toISOString(),
      serial_number: row.serial,
      certificate: row.pem,
      chain: this.#chain(),
    });
  }

  #chain(): string {
    return `${this.authority.intermediate.toString('pem')}\n${this.authority.root.toString('pem')}\n`;
  }
}
