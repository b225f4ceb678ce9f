import { Body, Controller, Delete, Get, HttpCode, Param, ParseIntPipe, Post, Req } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiBody,
  ApiConflictResponse,
  ApiConsumes,
  ApiNotFoundResponse,
  ApiOperation,
  ApiPayloadTooLargeResponse,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { Request } from 'express';
import { AppError } from '../../kernel/errors.js';
import { Requires } from '../security/access.port.js';
import { CurrentUser, type Caller } from '../security/principal.port.js';
import { ChunkedUploads } from './chunked-upload.service.js';
import { StartUploadDto, UploadDto, UploadReplyDto } from './ingestion.dto.js';

/** Resumable uploads of large files. */
@ApiTags('ingestion')
@Requires('documents:create')
@ApiConflictResponse({ description: 'The upload has ended, or chunks are missing.' })
@ApiNotFoundResponse({ description: 'There is no such upload, or it is another’s.' })
@Controller(['upload/chunked', 'ingestion/upload/chunked'])
export class ChunkedUploadController {
  constructor(private readonly uploads: ChunkedUploads) {}

  @Post('start')
  @HttpCode(200)
  @ApiOperation({ summary: 'Begin an upload in chunks' })
  @ApiPayloadTooLargeResponse({ description: 'The file is larger than CLARA_MAX_UPLOAD_MB.' })
  @ApiResponse({ status: 507, description: 'The data folder has no room for it.' })
  start(@Body() request: StartUploadDto, @CurrentUser() user: Caller): Promise<UploadDto> {
    return this.uploads.start(request, user);
  }

  @Post(':upload_id/chunk/:index')
  @HttpCode(200)
  @ApiConsumes('application/octet-stream')
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiOperation({ summary: 'Send one chunk, in any order; sent again, it is written again' })
  @ApiBadRequestResponse({ description: 'The chunk does not have the size it must have.' })
  @ApiResponse({ status: 415, description: 'The chunk must be sent as application/octet-stream.' })
  chunk(
    @Param('upload_id') uploadId: string,
    @Param('index', ParseIntPipe) index: number,
    @Req() request: Request,
    @CurrentUser() user: Caller,
  ): Promise<UploadDto> {
    if (!request.is('application/octet-stream'))
      throw new AppError(
        'unsupported_media_type',
        'Send a chunk as application/octet-stream: its bytes and nothing else',
      );
    return this.uploads.chunk(uploadId, index, request, user);
  }

  @Get(':upload_id/status')
  @ApiOperation({ summary: 'Which chunks are here' })
  status(@Param('upload_id') uploadId: string, @CurrentUser() user: Caller): Promise<UploadDto> {
    return this.uploads.status(uploadId, user);
  }

  @Post(':upload_id/finalize')
  @HttpCode(200)
  @ApiOperation({ summary: 'All chunks are here: make a job of the file' })
  finalize(@Param('upload_id') uploadId: string, @CurrentUser() user: Caller): Promise<UploadReplyDto> {
    return this.uploads.finalize(uploadId, user);
  }

  @Delete(':upload_id')
  @ApiOperation({ summary: 'Give an upload up' })
  abort(@Param('upload_id') uploadId: string, @CurrentUser() user: Caller): Promise<UploadDto> {
    return this.uploads.abort(uploadId, user);
  }
}
