import { Controller, Get, Header, HttpCode, Post, StreamableFile } from '@nestjs/common';
import { ApiNotFoundResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { AppError } from '../../kernel/errors.js';
import { inTransaction } from '../../kernel/transaction.js';
import { AuditTrail } from '../audit/audit.port.js';
import { Opens, Requires } from '../security/access.port.js';
import { CurrentUser, type Caller } from '../security/principal.port.js';
import type { CaRole } from './certificate-profile.js';
import { envelope } from './envelope.js';
import { RevocationLists, type RevocationList } from './revocation-lists.js';

const CRL_TYPE = 'application/pkix-crl';

const view = ({ issuer, number, thisUpdate, nextUpdate, entries }: RevocationList) => ({
  issuer,
  crl_number: number,
  this_update: thisUpdate.toISOString(),
  next_update: nextUpdate.toISOString(),
  revoked_count: entries,
});

/** The lists of what is revoked, for everybody. */
@ApiTags('pki')
@Opens('open')
@Controller('api/v1/crl')
export class CrlController {
  constructor(
    private readonly lists: RevocationLists,
    private readonly source: DataSource,
    private readonly audit: AuditTrail,
  ) {}

  @Get()
  @ApiOperation({ summary: 'CRL of the intermediate CA, DER: the distribution point of every certificate' })
  distribution(): Promise<StreamableFile> {
    return this.#der('intermediate');
  }

  @Get('full')
  @ApiOperation({ summary: 'The same' })
  full(): Promise<StreamableFile> {
    return this.#der('intermediate');
  }

  @Get('full/pem')
  @Header('content-type', 'application/x-pem-file')
  @ApiProduces('application/x-pem-file')
  @ApiOperation({ summary: 'CRLs of the intermediate and of the root, PEM, as OpenSSL wants them' })
  pem(): Promise<string> {
    return this.lists.pem();
  }

  @Get('root')
  @ApiOperation({ summary: 'CRL of the root CA, DER: the distribution point of the intermediate' })
  root(): Promise<StreamableFile> {
    return this.#der('root');
  }

  @Get('delta')
  @ApiNotFoundResponse({ description: 'Always.' })
  @ApiOperation({ summary: 'There is none' })
  delta(): never {
    throw new AppError(
      'not_found',
      'There are no delta CRLs: each CRL is complete, and made at every revocation. Take /api/v1/crl',
    );
  }

  @Get('status')
  @ApiOperation({ summary: 'Number and times of the CRL of the intermediate' })
  async status() {
    return envelope(
      'A CRL is made at every revocation, and before it ends',
      view(await this.lists.current('intermediate')),
    );
  }

  @Get('info')
  @ApiOperation({ summary: 'Number and times of both CRLs' })
  async info() {
    return envelope('Revocation lists', (await this.lists.all()).map(view));
  }

  @Requires('pki:manage')
  @Post('regenerate')
  @HttpCode(200)
  @ApiOperation({ summary: 'Sign the next CRL now' })
  async regenerate(@CurrentUser() caller: Caller) {
    const list = await inTransaction(this.source, async (sql) => {
      await this.lists.lock(sql, 'intermediate');
      const next = await this.lists.sign(sql, 'intermediate');
      const target = { type: 'crl', id: String(next.number) };
      await this.audit.record(sql, caller, { action: 'pki.crl.regenerate', target, outcome: 'done' });
      return next;
    });
    return envelope('CRL made', view(list));
  }

  @Requires('pki:manage')
  @Post('start')
  @HttpCode(200)
  @ApiOperation({ summary: 'CRLs are always made; says so' })
  start() {
    return this.status();
  }

  @Requires('pki:manage')
  @Post('stop')
  @ApiOperation({ summary: 'Refused: without CRLs every door would close' })
  stop(): never {
    throw new AppError(
      'conflict',
      'CRLs are made as long as the application runs: a CRL that ends closes every door that speaks mutual TLS',
    );
  }

  async #der(issuer: CaRole): Promise<StreamableFile> {
    const { der } = await this.lists.current(issuer);
    return new StreamableFile(der, { type: CRL_TYPE, length: der.length });
  }
}
