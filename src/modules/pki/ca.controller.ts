import { Controller, Get, Header } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { Settings } from '../../config/settings.js';
import { Opens } from '../security/access.port.js';
import { Authority } from './authority.js';
import { envelope } from './envelope.js';

const PEM_TYPE = 'application/x-pem-file';

/** The certificates of the CA itself, for everybody. */
@ApiTags('pki')
@Opens('open')
@Controller('api/v1')
export class CaController {
  constructor(
    private readonly authority: Authority,
    private readonly settings: Settings,
  ) {}

  @Get('info')
  @ApiOperation({ summary: 'Which CA this is, and where its lists are' })
  info() {
    const { root, intermediate } = this.authority;
    const { url, certificate } = this.settings.pki;
    const shown = (ca: typeof root) => ({
      subject: ca.subject,
      serial_number: ca.serialNumber,
      not_after: ca.notAfter.toISOString(),
    });
    return envelope('Certificate authority of CLARA', {
      root: shown(root),
      intermediate: shown(intermediate),
      crl_url: `${url}/api/v1/crl`,
      ocsp_url: `${url}/api/v1/ocsp`,
      max_validity_days: certificate.maxDays,
    });
  }

  @Get('ca/root')
  @Header('content-type', PEM_TYPE)
  @ApiProduces(PEM_TYPE)
  @ApiOperation({ summary: 'Certificate of the root CA, PEM' })
  root(): string {
    return `${this.authority.root.toString('pem')}\n`;
  }

  @Get('ca/intermediate')
  @Header('content-type', PEM_TYPE)
  @ApiProduces(PEM_TYPE)
  @ApiOperation({ summary: 'Certificate of the intermediate CA, PEM' })
  intermediate(): string {
    return `${this.authority.intermediate.toString('pem')}\n`;
  }

  @Get('ca/chain')
  @Header('content-type', PEM_TYPE)
  @ApiProduces(PEM_TYPE)
  @ApiOperation({ summary: 'Both, the intermediate first, PEM' })
  chain(): string {
    return this.intermediate() + this.root();
  }
}
