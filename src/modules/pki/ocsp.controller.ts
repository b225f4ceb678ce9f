import { Body, Controller, Get, Header, HttpCode, Param, Post, StreamableFile } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { AppError } from '../../kernel/errors.js';
import { Opens, Requires } from '../security/access.port.js';
import { Authority } from './authority.js';
import { Certificates } from './certificates.service.js';
import { envelope } from './envelope.js';
import { OcspResponder } from './ocsp-responder.js';

const RESPONSE_TYPE = 'application/ocsp-response';
const LONGEST_GET = 2048;

/** Whether single certificates are revoked, for everybody. */
@ApiTags('pki')
@Opens('open')
@Controller('api/v1/ocsp')
export class OcspController {
  constructor(
    private readonly responder: OcspResponder,
    private readonly certificates: Certificates,
    private readonly authority: Authority,
  ) {}

  @Get('status')
  @ApiOperation({ summary: 'Who answers' })
  status() {
    return envelope('The responder is the intermediate CA itself; nothing is cached', {
      responder: this.authority.intermediate.subject,
      signature: 'ecdsa-with-SHA256',
      nonce: true,
    });
  }

  @Get('check/:serial')
  @ApiOperation({ summary: 'The state of a serial number (hexadecimal), without ASN.1' })
  async check(@Param('serial') serial: string) {
    const number = serial.replaceAll(':', '').toLowerCase();
    const row = await this.certificates.bySerial(number);
    const status = row ? (row.status === 'revoked' ? 'revoked' : 'good') : 'unknown';
    return envelope(`The certificate is ${status}`, {
      serial_number: number.slice(0, 80),
      status,
      reason: row?.reason ?? null,
      revoked_at: row?.revoked_at?.toISOString() ?? null,
    });
  }

  @Requires('pki:manage')
  @Post('clear-cache')
  @HttpCode(200)
  @ApiOperation({ summary: 'There is no cache to clear; says so' })
  clear() {
    return envelope('Nothing is cached', { cleared: 0 });
  }

  @Post()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiConsumes('application/ocsp-request')
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiOperation({ summary: 'RFC 6960: a request in DER, an answer in DER' })
  async post(@Body() body: unknown): Promise<StreamableFile> {
    if (!Buffer.isBuffer(body))
      throw new AppError('unsupported_media_type', 'An OCSP request is DER with the type application/ocsp-request');
    return this.#answer(body);
  }

  @Get('*request')
  @ApiParam({ name: 'request', schema: { type: 'string' } })
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'RFC 6960 by GET: the request in base64 behind the address' })
  get(@Param('request') request: string | string[]): Promise<StreamableFile> {
    const text = [request].flat().join('/');
    return this.#answer(Buffer.from(text.slice(0, LONGEST_GET), 'base64'));
  }

  async #answer(request: Buffer): Promise<StreamableFile> {
    const answer = await this.responder.answer(request);
    return new StreamableFile(answer, { type: RESPONSE_TYPE, length: answer.length });
  }
}
