import { Body, Controller, Delete, Get, Param, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Requires } from '../security/access.port.js';
import { CurrentUser, type Caller } from '../security/principal.port.js';
import {
  AliasDto,
  AliasListDto,
  DeploymentDto,
  DoneDto,
  HistoryDto,
  HistoryQuery,
  MoveAliasDto,
} from './adapter.dto.js';
import { AliasService } from './alias.service.js';

/** Stands before the routes of one adapter, which would answer for these. */
@ApiTags('adapters')
@Controller('api/adapters')
export class AliasController {
  constructor(private readonly aliases: AliasService) {}

  @Requires('adapters:read')
  @Get('aliases')
  @ApiOperation({ summary: 'Names that move, and the versions they lead to' })
  list(): Promise<AliasListDto> {
    return this.aliases.list();
  }

  @Requires('adapters:read')
  @Get('aliases/:alias')
  @ApiOperation({ summary: 'One alias' })
  get(@Param('alias') alias: string): Promise<AliasDto> {
    return this.aliases.get(alias);
  }

  @Requires('adapters:activate')
  @Put('aliases/:alias')
  @ApiOperation({ summary: 'Make an alias, or move it; its history gets a row' })
  move(
    @Param('alias') alias: string,
    @Body() body: MoveAliasDto,
    @CurrentUser() caller: Caller,
  ): Promise<DeploymentDto> {
    return this.aliases.move(alias, body, caller);
  }

  @Requires('adapters:activate')
  @Delete('aliases/:alias')
  @ApiOperation({ summary: 'Take an alias away; its history stays' })
  remove(@Param('alias') alias: string, @CurrentUser() caller: Caller): Promise<DoneDto> {
    return this.aliases.remove(alias, caller);
  }

  @Requires('adapters:read')
  @Get('history')
  @ApiOperation({ summary: 'Which version was live under which alias, from when to when, by whom, on what evidence' })
  history(@Query() query: HistoryQuery): Promise<HistoryDto> {
    return this.aliases.deployments(query);
  }
}
