import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Param,
  Post,
  Query,
  Req,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import { ApiConsumes, ApiHeader, ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Requires } from '../security/access.port.js';
import { CurrentUser, type Caller } from '../security/principal.port.js';
import { CreateDatasetDto } from './create-dataset.dto.js';
import { DatasetCreation } from './dataset-creation.service.js';
import { DatasetExports } from './dataset-exports.service.js';
import { DownloadQuery, ExportDto, ListDatasetsQuery } from './dataset-queries.dto.js';
import { DatasetListDto, DatasetReplyDto, DoneReplyDto, ExportReplyDto } from './dataset-replies.dto.js';
import { DatasetService } from './dataset.service.js';
import { DatasetStream } from './dataset-stream.service.js';
import { fileTypes } from './formats/export-row.js';
import { DatasetUpload, type UploadRequest } from './upload/dataset-upload.js';

const repeated = {
  name: 'idempotency-key',
  required: false,
  description: 'A repeated POST answers with the first dataset.',
};
const binary = { schema: { type: 'string', format: 'binary' } } as const;

/** Routes with a fixed word stand before those of one dataset; modules with further ones are imported before this one. */
@ApiTags('datasets')
@Controller('api/datasets')
export class DatasetController {
  constructor(
    private readonly datasets: DatasetService,
    private readonly creation: DatasetCreation,
    private readonly exports: DatasetExports,
    private readonly streams: DatasetStream,
  ) {}

  @Requires('datasets:create')
  @Post(['', 'create'])
  @HttpCode(200)
  @UseInterceptors(DatasetUpload)
  @ApiConsumes('application/json', 'multipart/form-data')
  @ApiHeader(repeated)
  @ApiOperation({ summary: 'Make a dataset from a search, documents, a file or rows; it is built in the background' })
  create(
    @Body() body: CreateDatasetDto,
    @CurrentUser() caller: Caller,
    @Req() { upload }: UploadRequest,
    @Headers('idempotency-key') idempotencyKey?: string,
  ): Promise<DatasetReplyDto> {
    return this.creation.create({ body, caller, upload, idempotencyKey });
  }

  @Requires('datasets:search')
  @Post('stream')
  @HttpCode(200)
  @ApiProduces('application/x-ndjson')
  @ApiOkResponse({
    description: 'A row a line; a last line {error, message} where it broke.',
    schema: { type: 'string' },
  })
  @ApiOperation({ summary: 'The rows of a search as they are found, without making a dataset' })
  stream(@Body() body: CreateDatasetDto, @CurrentUser() caller: Caller, @Res() response: Response): Promise<void> {
    return this.streams.send(body, caller, response);
  }

  @Requires('datasets:read')
  @Get(['', 'list'])
  @ApiOperation({ summary: 'List datasets, newest first' })
  list(@Query() query: ListDatasetsQuery, @CurrentUser() caller: Caller): Promise<DatasetListDto> {
    return this.datasets.list(query, caller);
  }

  @Requires('datasets:read')
  @Get(':dataset_id')
  @ApiOperation({ summary: 'One dataset with its newest version' })
  get(@Param('dataset_id') datasetId: string, @CurrentUser() caller: Caller): Promise<DatasetReplyDto> {
    return this.datasets.get(datasetId, caller);
  }

  @Requires('datasets:create')
  @Delete(':dataset_id')
  @ApiOperation({ summary: 'Delete a dataset; refused while a job needs it' })
  remove(@Param('dataset_id') datasetId: string, @CurrentUser() caller: Caller): Promise<DoneReplyDto> {
    return this.datasets.remove(datasetId, caller);
  }

  @Requires('datasets:create')
  @Post(':dataset_id/cancel')
  @HttpCode(200)
  @ApiOperation({ summary: 'End the building of the newest version' })
  cancel(@Param('dataset_id') datasetId: string, @CurrentUser() caller: Caller): Promise<DoneReplyDto> {
    return this.datasets.cancel(datasetId, caller);
  }

  @Requires('datasets:export')
  @Post(':dataset_id/export')
  @HttpCode(200)
  @ApiOperation({ summary: 'Write a version in any format' })
  export(
    @Param('dataset_id') datasetId: string,
    @Body() request: ExportDto,
    @CurrentUser() caller: Caller,
  ): Promise<ExportReplyDto> {
    return this.exports.export(datasetId, request, caller);
  }

  @Requires('datasets:export')
  @Get(':dataset_id/download')
  @ApiProduces(...fileTypes)
  @ApiOkResponse({ content: Object.fromEntries(fileTypes.map((type) => [type, binary])) })
  @ApiOperation({ summary: 'The file of a version in any format' })
  download(
    @Param('dataset_id') datasetId: string,
    @Query() query: DownloadQuery,
    @CurrentUser() caller: Caller,
    @Res() response: Response,
  ): Promise<void> {
    return this.exports.download(datasetId, query, caller, response);
  }
}
