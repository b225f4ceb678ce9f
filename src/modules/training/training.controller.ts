import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import {
  ApiExtraModels,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { CreationLimitHeaders } from '../limits/creation-limit.port.js';
import { Requires } from '../security/access.port.js';
import { CurrentUser, type Caller } from '../security/principal.port.js';
import {
  CancelReplyDto,
  ChangeJobDto,
  CreateJobDto,
  CreateJobQuery,
  DryRunDto,
  JobEstimateDto,
  JobListDto,
  JobReplyDto,
  LearningCurvesDto,
  ListJobsQuery,
  LogsQuery,
  WorkersDto,
} from './job.dto.js';
import { JobCreation } from './job-creation.service.js';
import { JobLogs } from './job-logs.service.js';
import { JobPauses } from './job-pauses.service.js';
import { TrainingReports } from './training-reports.service.js';
import { TrainingService } from './training.service.js';

@ApiTags('training')
@Controller('api/training')
export class TrainingController {
  constructor(
    private readonly training: TrainingService,
    private readonly creation: JobCreation,
    private readonly reports: TrainingReports,
    private readonly logs: JobLogs,
    private readonly pauses: JobPauses,
  ) {}

  @Requires('training:create')
  @Post('jobs')
  @UseInterceptors(CreationLimitHeaders)
  @HttpCode(200)
  @ApiOperation({ summary: 'Create a training job, or with dry_run=true only see what it would run with and need' })
  @ApiHeader({ name: 'idempotency-key', required: false, description: 'A repeated POST answers with the first job.' })
  @ApiExtraModels(JobReplyDto, DryRunDto)
  @ApiOkResponse({ schema: { oneOf: [{ $ref: getSchemaPath(JobReplyDto) }, { $ref: getSchemaPath(DryRunDto) }] } })
  create(
    @Body() request: CreateJobDto,
    @Query() query: CreateJobQuery,
    @CurrentUser() user: Caller,
    @Headers('idempotency-key') key?: string,
  ): Promise<JobReplyDto | DryRunDto> {
    return query.isDryRun ? this.training.dryRun(request, user) : this.creation.create(request, user, key);
  }

  @Requires('training:read')
  @Get('jobs/list')
  @ApiOperation({ summary: 'List jobs, newest first, with the counts' })
  list(@Query() query: ListJobsQuery): Promise<JobListDto> {
    return this.training.list(query);
  }

  @Requires('training:read')
  @Get('jobs')
  @ApiOperation({ summary: 'List jobs (the path that dashboards call)' })
  listAlias(@Query() query: ListJobsQuery): Promise<JobListDto> {
    return this.training.list(query);
  }

  @Requires('training:read')
  @Get('workers')
  @ApiOperation({ summary: 'Training slots of this host and what they do' })
  workers(): Promise<WorkersDto> {
    return this.reports.workers();
  }

  @Requires('training:read')
  @Get('jobs/:job_id')
  @ApiOperation({ summary: 'One job' })
  get(@Param('job_id') jobId: string): Promise<JobReplyDto> {
    return this.training.get(jobId);
  }

  @Requires('training:create')
  @Patch('jobs/:job_id')
  @ApiOperation({ summary: 'Change the priority of a waiting job, or the tags of any' })
  change(
    @Param('job_id') jobId: string,
    @Body() request: ChangeJobDto,
    @CurrentUser() user: Caller,
  ): Promise<JobReplyDto> {
    return this.training.change(jobId, request, user);
  }

  @Requires('training:cancel')
  @Delete('jobs/:job_id')
  @ApiOperation({ summary: 'Cancel a job' })
  remove(@Param('job_id') jobId: string, @CurrentUser() user: Caller): Promise<CancelReplyDto> {
    return this.training.cancel(jobId, user);
  }

  @Requires('training:cancel')
  @Post('jobs/:job_id/cancel')
  @HttpCode(200)
  @ApiOperation({ summary: 'Cancel a job (the path that dashboards call)' })
  cancel(@Param('job_id') jobId: string, @CurrentUser() user: Caller): Promise<CancelReplyDto> {
    return this.training.cancel(jobId, user);
  }

  @Requires('training:cancel')
  @Post('jobs/:job_id/pause')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Pause a job: it saves a checkpoint and gives its slot back; while paused it reads pending',
  })
  pause(@Param('job_id') jobId: string, @CurrentUser() user: Caller): Promise<JobReplyDto> {
    return this.pauses.pause(jobId, user);
  }

  @Requires('training:cancel')
  @Post('jobs/:job_id/resume')
  @HttpCode(200)
  @ApiOperation({ summary: 'Put a paused job back into the queue; it goes on from its checkpoint' })
  resume(@Param('job_id') jobId: string, @CurrentUser() user: Caller): Promise<JobReplyDto> {
    return this.pauses.resume(jobId, user);
  }

  @Requires('training:create')
  @Post('jobs/:job_id/retry')
  @HttpCode(200)
  @ApiOperation({ summary: 'Put a failed or cancelled job back into the queue; it goes on from its last checkpoint' })
  retry(@Param('job_id') jobId: string, @CurrentUser() user: Caller): Promise<JobReplyDto> {
    return this.training.retry(jobId, user);
  }

  @Requires('training:read')
  @Get('jobs/:job_id/metrics')
  @ApiOperation({ summary: 'Learning curves of a job' })
  metrics(@Param('job_id') jobId: string): Promise<LearningCurvesDto> {
    return this.reports.curves(jobId);
  }

  @Requires('training:read')
  @Get('jobs/:job_id/estimate')
  @ApiOperation({ summary: 'Memory that the training is estimated to need' })
  estimate(@Param('job_id') jobId: string): Promise<JobEstimateDto> {
    return this.training.estimate(jobId);
  }

  @Requires('training:read')
  @Get('jobs/:job_id/logs')
  @ApiProduces('text/plain')
  @ApiOperation({ summary: 'What the worker printed: the last lines, or followed until the job has ended' })
  log(@Param('job_id') jobId: string, @Query() query: LogsQuery, @Res() response: Response): Promise<void> {
    return this.logs.send(jobId, query, response);
  }
}
