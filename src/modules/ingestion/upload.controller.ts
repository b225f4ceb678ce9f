import { Body, Controller, Get, HttpCode, Param, Post, Req, UseInterceptors } from '@nestjs/common';
import { NoFilesInterceptor } from '@nestjs/platform-express';
import {
  ApiBadRequestResponse,
  ApiConsumes,
  ApiNotFoundResponse,
  ApiOperation,
  ApiPayloadTooLargeResponse,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import { Requires } from '../security/access.port.js';
import { CurrentUser, type Caller } from '../security/principal.port.js';
import {
  IngestTextDto,
  ScanDto,
  ScanStartedDto,
  UploadDirectoryDto,
  UploadFilesDto,
  UploadReplyDto,
} from './ingestion.dto.js';
import { ScanService } from './scan.service.js';
import { UploadInterceptor, type UploadRequest } from './upload.interceptor.js';
import { UploadService } from './upload.service.js';

const FORM = { limits: { fields: 200, fieldSize: 64 * 1024 } };

/** Ways in for documents; the paths of the original, and the same under /ingestion. */
@ApiTags('ingestion')
@Controller(['', 'ingestion'])
export class UploadController {
  constructor(
    private readonly uploads: UploadService,
    private readonly scans: ScanService,
  ) {}

  @Requires('documents:create')
  @Post('upload/files')
  @HttpCode(200)
  @UseInterceptors(UploadInterceptor)
  @ApiConsumes('multipart/form-data')
  @ApiOperation({ summary: 'Take documents and archives in; field `files`, as often as there are files' })
  @ApiBadRequestResponse({ description: 'The form holds no file, or is none.' })
  @ApiPayloadTooLargeResponse({ description: 'A file is too large, or there are too many.' })
  @ApiResponse({ status: 507, description: 'The data folder is full.' })
  files(
    @Req() request: UploadRequest,
    @Body() options: UploadFilesDto,
    @CurrentUser() user: Caller,
  ): Promise<UploadReplyDto> {
    return this.uploads.files(request.staged ?? [], options, user);
  }

  @Requires('documents:create')
  @Post('ingest')
  @HttpCode(200)
  @ApiOperation({ summary: 'Take one text in' })
  text(@Body() request: IngestTextDto, @CurrentUser() user: Caller): Promise<UploadReplyDto> {
    return this.uploads.text(request, user);
  }

  @Requires('documents:create')
  @Post('upload/directory')
  @HttpCode(200)
  @ApiConsumes('application/json', 'multipart/form-data', 'application/x-www-form-urlencoded')
  @UseInterceptors(NoFilesInterceptor(FORM))
  @ApiOperation({ summary: 'Take a folder of this host in; it must lie inside of CLARA_DOCUMENT_DIRS' })
  @ApiBadRequestResponse({ description: 'It is no folder, or may not be read from here.' })
  @ApiNotFoundResponse({ description: 'There is no such folder.' })
  directory(@Body() request: UploadDirectoryDto, @CurrentUser() user: Caller): Promise<ScanStartedDto> {
    return this.scans.start(request, user);
  }

  @Requires('datasets:read')
  @Get('scan/:scan_id')
  @ApiOperation({ summary: 'How far a folder has been taken in' })
  @ApiNotFoundResponse({ description: 'There is no such scan, or it is another’s.' })
  scan(@Param('scan_id') scanId: string, @CurrentUser() user: Caller): Promise<ScanDto> {
    return this.scans.get(scanId, user);
  }
}
