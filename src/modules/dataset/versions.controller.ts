import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Req, UseInterceptors } from '@nestjs/common';
import { ApiConsumes, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AppError } from '../../kernel/errors.js';
import { Requires } from '../security/access.port.js';
import { CurrentUser, type Caller } from '../security/principal.port.js';
import { CreateVersionDto } from './create-dataset.dto.js';
import { DatasetCreation } from './dataset-creation.service.js';
import { DiffQuery, LineageQuery, RowsQuery, VersionQuery, VersionsQuery } from './dataset-queries.dto.js';
import {
  AnalysisDto,
  DatasetReplyDto,
  DiffDto,
  LineageDto,
  RowPageDto,
  VersionDto,
  VersionListDto,
} from './dataset-replies.dto.js';
import { DatasetReports } from './dataset-reports.service.js';
import { DatasetService } from './dataset.service.js';
import { DatasetUpload, type UploadRequest } from './upload/dataset-upload.js';

const repeated = {
  name: 'idempotency-key',
  required: false,
  description: 'A repeated POST answers with the first version.',
};

/** @throws AppError `not_found` for what is no number of a version */
function numberOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new AppError('not_found', `There is no version "${text.slice(0, 40)}"`);
}

@ApiTags('datasets')
@Controller('api/datasets/:dataset_id')
export class VersionsController {
  constructor(
    private readonly datasets: DatasetService,
    private readonly creation: DatasetCreation,
    private readonly reports: DatasetReports,
  ) {}

  @Requires('datasets:read')
  @Get('versions')
  @ApiOperation({ summary: 'Versions of a dataset, newest first' })
  versions(
    @Param('dataset_id') datasetId: string,
    @Query() query: VersionsQuery,
    @CurrentUser() caller: Caller,
  ): Promise<VersionListDto> {
    return this.datasets.versions(datasetId, caller, query.before, query.limit);
  }

  @Requires('datasets:create')
  @Post('versions')
  @HttpCode(200)
  @UseInterceptors(DatasetUpload)
  @ApiConsumes('application/json', 'multipart/form-data')
  @ApiHeader(repeated)
  @ApiOperation({ summary: 'Make a further version; the earlier ones stay as they are' })
  async addVersion(
    @Param('dataset_id') datasetId: string,
    @Body() body: CreateVersionDto,
    @Req() request: UploadRequest & { user?: Caller },
    @Headers('idempotency-key') idempotencyKey?: string,
  ): Promise<DatasetReplyDto> {
    const { upload, user: caller } = request;
    if (!caller) throw new Error('a route asks for its caller and is declared open');
    return this.creation.addVersion(datasetId, { body, caller, upload, idempotencyKey });
  }

  @Requires('datasets:read')
  @Get('versions/:number')
  @ApiOperation({ summary: 'One version' })
  async version(
    @Param('dataset_id') datasetId: string,
    @Param('number') number: string,
    @CurrentUser() caller: Caller,
  ): Promise<VersionDto> {
    return this.datasets.versionView(datasetId, numberOf(number), caller);
  }

  @Requires('datasets:read')
  @Get('versions/:number/rows')
  @ApiOperation({ summary: 'Rows of a version, page by page' })
  async rows(
    @Param('dataset_id') datasetId: string,
    @Param('number') number: string,
    @Query() query: RowsQuery,
    @CurrentUser() caller: Caller,
  ): Promise<RowPageDto> {
    return this.reports.rows(datasetId, numberOf(number), query, caller);
  }

  @Requires('datasets:read')
  @Get('diff')
  @ApiOperation({ summary: 'What one version has and another has not, by the hashes of the rows' })
  diff(
    @Param('dataset_id') datasetId: string,
    @Query() query: DiffQuery,
    @CurrentUser() caller: Caller,
  ): Promise<DiffDto> {
    return this.reports.diff(datasetId, query, caller);
  }

  @Requires('datasets:read')
  @Get('lineage')
  @ApiOperation({ summary: 'Where each row comes from' })
  lineage(
    @Param('dataset_id') datasetId: string,
    @Query() query: LineageQuery,
    @CurrentUser() caller: Caller,
  ): Promise<LineageDto> {
    return this.reports.lineage(datasetId, query, caller);
  }

  @Requires('datasets:read')
  @Get('analyze')
  @ApiOperation({ summary: 'Distributions, and the worst rows with what is wrong with them' })
  analyze(
    @Param('dataset_id') datasetId: string,
    @Query() { version }: VersionQuery,
    @CurrentUser() caller: Caller,
  ): Promise<AnalysisDto> {
    return this.reports.analysis(datasetId, version, caller);
  }

  @Requires('datasets:read')
  @Post('analyze')
  @HttpCode(200)
  @ApiOperation({ summary: 'The same, for clients that post' })
  analyzeAlias(
    @Param('dataset_id') datasetId: string,
    @Query() { version }: VersionQuery,
    @CurrentUser() caller: Caller,
  ): Promise<AnalysisDto> {
    return this.reports.analysis(datasetId, version, caller);
  }
}
