import { Body, Controller, HttpCode, Post, Query, Res, UseGuards } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Requires } from '../../security/access.port.js';
import { ServingPortOnly } from '../serving-port.guard.js';
import {
  GenerateParameters,
  GenerateQuery,
  generationOf,
  promptOf,
  RouteParameters,
  RouteQuery,
} from './bare-generate.dto.js';
import { GenerateReplyDto, RouteReplyDto } from './generate.dto.js';
import { GenerateService } from './generate.service.js';

/** The paths of the original's development script, on the serving port only. */
@ApiTags('serving')
@Requires('serving:generate')
@UseGuards(ServingPortOnly)
@Controller()
export class BareGenerateController {
  constructor(private readonly generation: GenerateService) {}

  @Post('generate')
  @HttpCode(200)
  @ApiOperation({
    summary: 'As POST /api/serving/generate, from the query or the body, which counts over it (serving port)',
  })
  @ApiBody({ type: GenerateParameters, required: false })
  generateBare(
    @Query() query: GenerateQuery,
    @Body() body: GenerateParameters,
    @Res({ passthrough: true }) response: Response,
  ): Promise<GenerateReplyDto> {
    return this.generation.generate(generationOf([query, body]), response);
  }

  @Post('route')
  @HttpCode(200)
  @ApiOperation({
    summary: 'As POST /api/serving/route, from the query or the body, which counts over it (serving port)',
  })
  @ApiBody({ type: RouteParameters, required: false })
  routeBare(@Query() query: RouteQuery, @Body() body: RouteParameters): Promise<RouteReplyDto> {
    return this.generation.route(promptOf([query, body]));
  }
}
