import { Body, Controller, Delete, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Requires } from '../security/access.port.js';
import { CurrentUser, type Caller } from '../security/principal.port.js';
import { DoneDto } from './adapter.dto.js';
import { CreateExportDto, AdapterExportDto, AdapterExportListDto } from './export.dto.js';
import { ExportService } from './export.service.js';

const TAR = 'application/x-tar';
const tar = { content: { [TAR]: { schema: { type: 'string', format: 'binary' } } } } as const;

@ApiTags('adapters')
@Controller('api/adapters/:adapter')
export class ExportController {
  constructor(private readonly exports: ExportService) {}

  @Requires('adapters:activate')
  @Get('download')
  @ApiProduces(TAR)
  @ApiOkResponse(tar)
  @ApiOperation({ summary: 'The PEFT folder as a tar' })
  downloadAdapter(@Param('adapter') adapter: string, @Res() response: Response): Promise<void> {
    return this.exports.downloadAdapter(adapter, response);
  }

  @Requires('adapters:activate')
  @Post('exports')
  @HttpCode(200)
  @ApiOperation({ summary: 'Export an adapter: merged into its base, as GGUF, or both; made in the background' })
  create(
    @Param('adapter') adapter: string,
    @Body() { format }: CreateExportDto,
    @CurrentUser() caller: Caller,
  ): Promise<AdapterExportDto> {
    return this.exports.create(adapter, format, caller);
  }

  @Requires('adapters:read')
  @Get('exports')
  @ApiOperation({ summary: 'Exports of an adapter, newest first' })
  list(@Param('adapter') adapter: string): Promise<AdapterExportListDto> {
    return this.exports.list(adapter);
  }

  @Requires('adapters:read')
  @Get('exports/:export')
  @ApiOperation({ summary: 'One export, with its progress' })
  get(@Param('adapter') adapter: string, @Param('export') id: string): Promise<AdapterExportDto> {
    return this.exports.get(adapter, id);
  }

  @Requires('adapters:activate')
  @Delete('exports/:export')
  @ApiOperation({ summary: 'Cancel an export that waits or runs, or remove the files of one that is done' })
  remove(
    @Param('adapter') adapter: string,
    @Param('export') id: string,
    @CurrentUser() caller: Caller,
  ): Promise<DoneDto> {
    return this.exports.remove(adapter, id, caller);
  }

  @Requires('adapters:activate')
  @Get('exports/:export/download')
  @ApiProduces(TAR)
  @ApiOkResponse(tar)
  @ApiOperation({ summary: 'The files of an export as a tar' })
  download(@Param('adapter') adapter: string, @Param('export') id: string, @Res() response: Response): Promise<void> {
    return this.exports.download(adapter, id, response);
  }
}
