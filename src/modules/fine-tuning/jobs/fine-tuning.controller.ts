import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Req, UseInterceptors } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { CreationLimitHeaders } from '../../limits/creation-limit.port.js';
import { Requires } from '../../security/access.port.js';
import { CurrentUser, type Caller } from '../../security/principal.port.js';
import { Conflicts } from '../openai-list.js';
import { CreateFineTuningJobDto } from './create-job.dto.js';
import { FineTuningJobsService } from './fine-tuning-jobs.service.js';
import { FineTuningCreation } from './job-creation.service.js';
import { JobDetails } from './job-details.service.js';
import {
  CheckpointsQuery,
  FineTuningJobDto,
  FineTuningJobListDto,
  JobCheckpointListDto,
  JobEventListDto,
  PageQuery,
} from './job-object.dto.js';
import { metadataFilter } from './metadata.js';

const Named = (operationId: string, summary: string) => ApiOperation({ operationId, summary });

@ApiTags('fine-tuning')
@Controller('v1/fine_tuning/jobs')
export class FineTuningController {
  constructor(
    private readonly jobs: FineTuningJobsService,
    private readonly creation: FineTuningCreation,
    private readonly details: JobDetails,
  ) {}

  @Requires('training:create')
  @Post()
  @HttpCode(200)
  @UseInterceptors(CreationLimitHeaders)
  @Conflicts('The Idempotency-Key was used with another request.')
  @ApiHeader({ name: 'idempotency-key', required: false, description: 'A repeated POST answers with the first job.' })
  @Named('createFineTuningJob', 'Train an adapter from an uploaded file')
  async create(
    @Body() body: CreateFineTuningJobDto,
    @CurrentUser() caller: Caller,
    @Headers('idempotency-key') key?: string,
  ): Promise<FineTuningJobDto> {
    const { id } = await this.creation.create(body, caller, key);
    return this.jobs.get(id, caller);
  }

  @Requires('training:read')
  @Get()
  @ApiQuery({ name: 'metadata', required: false, description: 'metadata[key]=value, or null for jobs without any' })
  @Named('listFineTuningJobs', 'List the own jobs, newest first')
  list(
    @Query() query: PageQuery,
    @CurrentUser() caller: Caller,
    @Req() request: Request,
  ): Promise<FineTuningJobListDto> {
    return this.jobs.list(query, metadataFilter(request.query), caller);
  }

  @Requires('training:read')
  @Get(':job_id')
  @Named('retrieveFineTuningJob', 'One job')
  get(@Param('job_id') jobId: string, @CurrentUser() caller: Caller): Promise<FineTuningJobDto> {
    return this.jobs.get(jobId, caller);
  }

  @Requires('training:cancel')
  @Post(':job_id/cancel')
  @HttpCode(200)
  @Named('cancelFineTuningJob', 'Cancel a job')
  cancel(@Param('job_id') jobId: string, @CurrentUser() caller: Caller): Promise<FineTuningJobDto> {
    return this.jobs.change(jobId, 'cancel', caller);
  }

  @Requires('training:cancel')
  @Post(':job_id/pause')
  @HttpCode(200)
  @Named('pauseFineTuningJob', 'Pause a job: it saves, and gives its slot back')
  pause(@Param('job_id') jobId: string, @CurrentUser() caller: Caller): Promise<FineTuningJobDto> {
    return this.jobs.change(jobId, 'pause', caller);
  }

  @Requires('training:cancel')
  @Post(':job_id/resume')
  @HttpCode(200)
  @Named('resumeFineTuningJob', 'Let a paused job go on where it stopped')
  resume(@Param('job_id') jobId: string, @CurrentUser() caller: Caller): Promise<FineTuningJobDto> {
    return this.jobs.change(jobId, 'resume', caller);
  }

  @Requires('training:read')
  @Get(':job_id/events')
  @Named('listFineTuningEvents', 'What happened to a job, newest first')
  events(
    @Param('job_id') jobId: string,
    @Query() query: PageQuery,
    @CurrentUser() caller: Caller,
  ): Promise<JobEventListDto> {
    return this.details.events(jobId, query, caller);
  }

  @Requires('training:read')
  @Get(':job_id/checkpoints')
  @Named('listFineTuningJobCheckpoints', 'The last checkpoints of a job that has succeeded; each is a model')
  checkpoints(
    @Param('job_id') jobId: string,
    @Query() query: CheckpointsQuery,
    @CurrentUser() caller: Caller,
  ): Promise<JobCheckpointListDto> {
    return this.details.checkpoints(jobId, query, caller);
  }
}
