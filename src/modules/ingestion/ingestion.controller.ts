import { Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiConflictResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { Requires } from '../security/access.port.js';
import { CurrentUser, type Caller } from '../security/principal.port.js';
import {
  FileTypesDto,
  IngestionFileDto,
  IngestionJobDto,
  IngestionMetricsDto,
  ListIngestionQuery,
  RecoverQuery,
  RecoverReplyDto,
} from './ingestion.dto.js';
import { FileTypes } from './file-types.js';
import { IngestionService } from './ingestion.service.js';

const BAD_FILES = ['failed', 'blocked'];

/** Jobs of the ingestion and their files; the paths of the original, and the same under /ingestion. */
@ApiTags('ingestion')
@ApiNotFoundResponse({ description: 'There is no such job, or it is not for this caller.' })
@Controller(['', 'ingestion'])
export class IngestionController {
  constructor(
    private readonly ingestion: IngestionService,
    private readonly types: FileTypes,
  ) {}

  @Requires('datasets:read')
  @Get(['capabilities/supported-filetypes', 'capabilities'])
  @ApiOperation({ summary: 'What kinds of files can be read' })
  fileTypes(): FileTypesDto {
    return this.types.list();
  }

  @Requires('datasets:read')
  @Get('jobs')
  @ApiOperation({ summary: 'Jobs, newest first; the header x-next-cursor leads to the next page' })
  @ApiOkResponse({
    type: [IngestionJobDto],
    headers: { 'x-next-cursor': { schema: { type: 'string' }, description: 'Absent on the last page.' } },
  })
  async list(
    @Query() query: ListIngestionQuery,
    @CurrentUser() user: Caller,
    @Res({ passthrough: true }) response: Response,
  ): Promise<IngestionJobDto[]> {
    const { jobs, cursor } = await this.ingestion.list(query, user);
    if (cursor) response.setHeader('x-next-cursor', cursor);
    return jobs;
  }

  @Requires('datasets:read')
  @Get('jobs/incomplete')
  @ApiOperation({ summary: 'Jobs that wait or are under way' })
  incomplete(@CurrentUser() user: Caller): Promise<IngestionJobDto[]> {
    return this.ingestion.incomplete(user);
  }

  @Requires('datasets:read')
  @Get(['jobs/:job_id', 'jobs/:job_id/status'])
  @ApiOperation({ summary: 'One job' })
  get(@Param('job_id') jobId: string, @CurrentUser() user: Caller): Promise<IngestionJobDto> {
    return this.ingestion.get(jobId, user);
  }

  @Requires('documents:create')
  @Delete('jobs/:job_id')
  @ApiOperation({ summary: 'Cancel a job; what it has taken in stays' })
  @ApiConflictResponse({ description: 'The job has ended.' })
  cancel(@Param('job_id') jobId: string, @CurrentUser() user: Caller): Promise<IngestionJobDto> {
    return this.ingestion.cancel(jobId, user);
  }

  @Requires('datasets:read')
  @Get('jobs/:job_id/metrics')
  @ApiOperation({ summary: 'Figures of a job that has ended' })
  @ApiBadRequestResponse({ description: 'The job has not ended.' })
  metrics(@Param('job_id') jobId: string, @CurrentUser() user: Caller): Promise<IngestionMetricsDto> {
    return this.ingestion.metrics(jobId, user);
  }

  @Requires('datasets:read')
  @Get('jobs/:job_id/files')
  @ApiOperation({ summary: 'Files of a job, each with its own state' })
  files(@Param('job_id') jobId: string, @CurrentUser() user: Caller): Promise<IngestionFileDto[]> {
    return this.ingestion.files(jobId, user);
  }

  @Requires('datasets:read')
  @Get('jobs/:job_id/failed-files')
  @ApiOperation({ summary: 'Files of a job that could not be read, and why' })
  failedFiles(@Param('job_id') jobId: string, @CurrentUser() user: Caller): Promise<IngestionFileDto[]> {
    return this.ingestion.files(jobId, user, BAD_FILES);
  }

  @Requires('documents:create')
  @Post(['jobs/:job_id/recover', 'jobs/:job_id/recover-failed-files', 'jobs/:job_id/retry'])
  @HttpCode(200)
  @ApiOperation({ summary: 'Try the failed files of a job again' })
  recover(
    @Param('job_id') jobId: string,
    @Query() query: RecoverQuery,
    @CurrentUser() user: Caller,
  ): Promise<RecoverReplyDto> {
    return this.ingestion.recover(jobId, query, user);
  }

  @Requires('documents:create')
  @Post(['recover-failed-files', 'recovery/recover-failed-files'])
  @HttpCode(200)
  @ApiOperation({ summary: 'Try all failed files of the caller again' })
  recoverAll(@Query() query: RecoverQuery, @CurrentUser() user: Caller): Promise<RecoverReplyDto> {
    return this.ingestion.recoverAll(query, user);
  }

  @Requires('datasets:read')
  @Get('recovery/blocked-files')
  @ApiOperation({ summary: 'Files that ended the application while it read them' })
  blocked(@CurrentUser() user: Caller): Promise<IngestionFileDto[]> {
    return this.ingestion.blocked(user);
  }

  @Requires('documents:create')
  @Post('files/:file_id/unblock')
  @HttpCode(200)
  @ApiOperation({ summary: 'Try a blocked file again; by id, or by its name, percent-encoded' })
  unblock(@Param('file_id') fileId: string, @CurrentUser() user: Caller): Promise<RecoverReplyDto> {
    return this.ingestion.unblock(fileId, user);
  }
}
