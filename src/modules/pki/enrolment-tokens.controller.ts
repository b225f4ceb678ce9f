import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Requires } from '../security/access.port.js';
import { CurrentUser, type Caller } from '../security/principal.port.js';
import { Enrolment } from './enrolment.js';
import { envelope } from './envelope.js';
import { EnrolmentTokenDto, namesOf } from './pki.dto.js';

const DEFAULT_HOURS = 24;

@ApiTags('pki')
@Requires('pki:manage')
@Controller('api/v1/enrolment-tokens')
export class EnrolmentTokensController {
  constructor(private readonly enrolment: Enrolment) {}

  @Post()
  @HttpCode(201)
  @ApiOperation({ summary: 'Make a token that lets a service get a certificate with these names; shown once' })
  async create(@Body() dto: EnrolmentTokenDto, @CurrentUser() caller: Caller) {
    const { max_uses: uses = 1, expires_in_hours: hours = DEFAULT_HOURS } = dto;
    return envelope(
      'Enrolment token made; it is shown this once',
      await this.enrolment.create({ names: namesOf(dto), uses, hours }, caller),
    );
  }

  @Get()
  @ApiOperation({ summary: 'All tokens, without what is secret of them' })
  async list() {
    const tokens = await this.enrolment.list();
    return envelope(`${tokens.length} enrolment token(s)`, tokens);
  }

  @Delete(':token_id')
  @ApiOperation({ summary: 'Revoke a token' })
  async revoke(@Param('token_id') id: string, @CurrentUser() caller: Caller) {
    return envelope('Enrolment token revoked', await this.enrolment.revoke(id, caller));
  }
}
