import { Body, Controller, HttpCode, Post, Res, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Requires } from '../../security/access.port.js';
import { ServingPortOnly } from '../serving-port.guard.js';
import { GenerateDto, GenerateReplyDto, RoutePromptDto, RouteReplyDto } from './generate.dto.js';
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
  @ApiOperation({ summary: 'As POST /api/serving/generate (serving port)' })
  generateBare(@Body() body: GenerateDto, @Res({ passthrough: true }) response: Response): Promise<GenerateReplyDto> {
    return this.generation.generate(body, response);
  }

  @Post('route')
  @HttpCode(200)
  @ApiOperation({ summary: 'As POST /api/serving/route (serving port)' })
  routeBare(@Body() { prompt }: RoutePromptDto): Promise<RouteReplyDto> {
    return this.generation.route(prompt);
  }
}
