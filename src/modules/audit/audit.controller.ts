import { Body, Controller, Get, HttpCode, Post, Query, StreamableFile } from '@nestjs/common';
import { ApiConflictResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { Requires } from '../security/access.port.js';
import { CurrentUser, type Caller } from '../security/principal.port.js';
import {
  AuditListDto,
  AuditVerifyDto,
  ExportAuditQuery,
  ForgetSubjectDto,
  ForgottenDto,
  ListAuditQuery,
  VerifyAuditQuery,
} from './audit.dto.js';
import { AuditService } from './audit.service.js';

const types = { csv: 'text/csv; charset=utf-8', jsonl: 'application/x-ndjson' };

@ApiTags('audit')
@ApiConflictResponse({ description: 'No trail is kept in this mode.' })
@Requires('audit:read')
@Controller('api/audit')
export class AuditController {
  constructor(private readonly audit: AuditService) {}

  @Get()
  @ApiOperation({ summary: 'Rows of the audit trail, newest first' })
  list(@Query() query: ListAuditQuery): Promise<AuditListDto> {
    return this.audit.list(query);
  }

  @Get('export')
  @ApiOperation({ summary: 'The audit trail as CSV or JSON lines' })
  @ApiProduces('text/csv', 'application/x-ndjson')
  async export(@Query() query: ExportAuditQuery, @CurrentUser() user: Caller): Promise<StreamableFile> {
    const disposition = `attachment; filename="audit.${query.format}"`;
    return new StreamableFile(await this.audit.export(query, user), { type: types[query.format], disposition });
  }

  @Get('verify')
  @ApiOperation({ summary: 'Compute the chain again and compare it with the signed heads; cached for a minute' })
  verify(@Query() query: VerifyAuditQuery, @CurrentUser() user: Caller): Promise<AuditVerifyDto> {
    return this.audit.verify(user, query.fresh === 'true');
  }

  @Post('subjects/forget')
  @HttpCode(200)
  @ApiOperation({ summary: 'Erase the name behind the pseudonyms of a subject (admin); the rows stay' })
  forget(@Body() request: ForgetSubjectDto, @CurrentUser() user: Caller): Promise<ForgottenDto> {
    return this.audit.forget(request.subject, user);
  }
}
