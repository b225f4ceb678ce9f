import { Controller, Get, Header, Param, Query, Req, Res, type StreamableFile } from '@nestjs/common';
import {
  ApiExtraModels,
  ApiHeader,
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { Response } from 'express';
import type { AuthenticatedRequest } from '../security/principal.port.js';
import { Requires } from '../security/access.port.js';
import { JobEventPage, JobEventsQuery } from './job-events.dto.js';
import { JobEventsService } from './job-events.service.js';

@ApiTags('training')
@Controller('api/training/jobs')
export class JobEventsController {
  constructor(private readonly events: JobEventsService) {}

  @Requires('training:read')
  @Get(':job_id/events')
  @Header('Cache-Control', 'no-cache')
  @Header('X-Accel-Buffering', 'no')
  @ApiOperation({
    summary: 'Events of a job, oldest first',
    description:
      'With `Accept: text/event-stream` the same events as Server-Sent Events: those behind Last-Event-ID (or `after`), ' +
      'then live ones, until the job has ended. `id` is the number, `event` the type, `data` the event as JSON.',
  })
  @ApiExtraModels(JobEventPage)
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'Number of the last event seen (event stream only).',
  })
  @ApiOkResponse({
    content: {
      'application/json': { schema: { $ref: getSchemaPath(JobEventPage) } },
      'text/event-stream': { schema: { type: 'string' } },
    },
  })
  @ApiNoContentResponse({ description: 'Event stream: the job has ended and all its events were seen.' })
  @ApiNotFoundResponse({ description: 'There is no such job.' })
  read(
    @Param('job_id') jobId: string,
    @Query() query: JobEventsQuery,
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<JobEventPage | StreamableFile | undefined> {
    return this.events.answer(jobId, query, request, response);
  }
}
