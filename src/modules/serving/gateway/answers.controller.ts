import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Requires } from '../../security/access.port.js';
import type { AuthenticatedRequest } from '../../security/principal.port.js';
import { AnswerRequestDto } from './gateway.dto.js';
import { GatewayService } from './gateway.service.js';

const stickyKey = {
  name: 'x-clara-sticky-key',
  required: false,
  description: 'Keeps who sends it at the same version of a split alias, and at the same replica while load is even.',
};
const answer = {
  description:
    'As OpenAI answers; `model` is the version that answered. Headers: x-clara-requested-model, x-clara-replica, x-clara-overhead-ms, x-clara-route.',
  content: {
    'application/json': { schema: { type: 'object' as const } },
    'text/event-stream': { schema: { type: 'string' as const } },
  },
};

/** Bodies are read by the gateway itself, not by the JSON parser: see `readsItself`. */
@ApiTags('serving')
@Requires('serving:generate')
@Controller('v1')
export class AnswersController {
  constructor(private readonly gateway: GatewayService) {}

  @Post('chat/completions')
  @HttpCode(200)
  @ApiBody({ type: AnswerRequestDto })
  @ApiHeader(stickyKey)
  @ApiOkResponse(answer)
  @ApiOperation({ summary: 'Answer a conversation, as OpenAI does' })
  chatCompletion(@Req() request: AuthenticatedRequest, @Res() response: Response): Promise<void> {
    return this.gateway.answer(request, response, '/v1/chat/completions');
  }

  @Post('completions')
  @HttpCode(200)
  @ApiBody({ type: AnswerRequestDto })
  @ApiHeader(stickyKey)
  @ApiOkResponse(answer)
  @ApiOperation({ summary: 'Go on with a text, as OpenAI does' })
  completion(@Req() request: AuthenticatedRequest, @Res() response: Response): Promise<void> {
    return this.gateway.answer(request, response, '/v1/completions');
  }
}
