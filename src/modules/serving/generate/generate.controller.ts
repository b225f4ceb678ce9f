import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Requires } from '../../security/access.port.js';
import {
  GenerateBatchDto,
  GenerateBatchReplyDto,
  GenerateDto,
  GenerateReplyDto,
  RoutePromptDto,
  RouteReplyDto,
} from './generate.dto.js';
import { GenerateService } from './generate.service.js';

/** Generation as the original's serving names it. */
@ApiTags('serving')
@Requires('serving:generate')
@Controller('api/serving')
export class GenerateController {
  constructor(private readonly generation: GenerateService) {}

  @Post('generate')
  @HttpCode(200)
  @ApiOperation({ summary: 'Go on with a prompt; the router chooses the adapter where none is named' })
  generate(@Body() body: GenerateDto, @Res({ passthrough: true }) response: Response): Promise<GenerateReplyDto> {
    return this.generation.generate(body, response);
  }

  @Post('generate/stream')
  @HttpCode(200)
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ schema: { type: 'string' } })
  @ApiOperation({
    summary: 'The same as server-sent events',
    description:
      '`data: {token, adapter_id}` for each piece, at the end `{done, adapter_id, tokens_generated}`, or `{error}`.',
  })
  generateStream(@Body() body: GenerateDto, @Res() response: Response): Promise<void> {
    return this.generation.stream(body, response);
  }

  @Post('generate/batch')
  @HttpCode(200)
  @ApiOperation({ summary: 'Up to 64 prompts; each has its answer or its error' })
  generateBatch(
    @Body() body: GenerateBatchDto,
    @Res({ passthrough: true }) response: Response,
  ): Promise<GenerateBatchReplyDto> {
    return this.generation.batch(body, response);
  }

  @Post('route')
  @HttpCode(200)
  @ApiOperation({ summary: 'Which adapter `auto` would choose, and why' })
  route(@Body() { prompt }: RoutePromptDto): Promise<RouteReplyDto> {
    return this.generation.route(prompt);
  }
}
