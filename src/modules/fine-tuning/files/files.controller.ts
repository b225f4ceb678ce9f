import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req, Res, UseInterceptors } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Requires } from '../../security/access.port.js';
import { CurrentUser, type Caller } from '../../security/principal.port.js';
import {
  CreateFileDto,
  CreateFileFormDto,
  FileDeletedDto,
  FileListDto,
  FileObjectDto,
  ListFilesQuery,
} from './file.dto.js';
import { Conflicts } from '../openai-list.js';
import { FileUpload, type FileRequest } from './file-upload.js';
import { FilesService } from './files.service.js';

@ApiTags('fine-tuning')
@Controller('v1/files')
export class FilesController {
  constructor(private readonly files: FilesService) {}

  @Requires('training:create')
  @Post()
  @HttpCode(200)
  @UseInterceptors(FileUpload)
  @ApiConsumes('multipart/form-data')
  @ApiBody({ type: CreateFileFormDto })
  @ApiOperation({
    operationId: 'createFile',
    summary: 'Upload a file; what is in it is checked by the job that uses it',
  })
  create(
    @Body() body: CreateFileDto,
    @CurrentUser() caller: Caller,
    @Req() { staged }: FileRequest,
  ): Promise<FileObjectDto> {
    return this.files.create(body, staged, caller);
  }

  @Requires('training:read')
  @Get()
  @ApiOperation({ operationId: 'listFiles', summary: 'List the own files' })
  list(@Query() query: ListFilesQuery, @CurrentUser() caller: Caller): Promise<FileListDto> {
    return this.files.list(query, caller);
  }

  @Requires('training:read')
  @Get(':file_id')
  @ApiOperation({ operationId: 'retrieveFile', summary: 'One file' })
  get(@Param('file_id') fileId: string, @CurrentUser() caller: Caller): Promise<FileObjectDto> {
    return this.files.get(fileId, caller);
  }

  @Requires('training:create')
  @Delete(':file_id')
  @Conflicts('A job needs the file.')
  @ApiOperation({ operationId: 'deleteFile', summary: 'Delete a file; refused while a job needs it' })
  remove(@Param('file_id') fileId: string, @CurrentUser() caller: Caller): Promise<FileDeletedDto> {
    return this.files.remove(fileId, caller);
  }

  @Requires('training:read')
  @Get(':file_id/content')
  @ApiProduces('application/octet-stream')
  @ApiOkResponse({ schema: { type: 'string', format: 'binary' } })
  @ApiOperation({ operationId: 'downloadFile', summary: 'The bytes of a file, as they came' })
  content(@Param('file_id') fileId: string, @CurrentUser() caller: Caller, @Res() response: Response): Promise<void> {
    return this.files.send(fileId, caller, response);
  }
}
