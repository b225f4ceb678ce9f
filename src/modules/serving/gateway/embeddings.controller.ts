import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Requires } from '../../security/access.port.js';
import type { AuthenticatedRequest } from '../../security/principal.port.js';
import { EmbeddingListDto, EmbeddingsRequestDto } from './embeddings.dto.js';
import { EmbeddingsService } from './embeddings.service.js';

@ApiTags('serving')
@Controller('v1/embeddings')
export class EmbeddingsController {
  constructor(private readonly embeddings: EmbeddingsService) {}

  @Requires('serving:generate')
  @Post()
  @HttpCode(200)
  @ApiBody({ type: EmbeddingsRequestDto })
  @ApiOkResponse({ type: EmbeddingListDto })
  @ApiOperation({ summary: 'Vectors of texts, as OpenAI gives them' })
  embed(@Req() request: AuthenticatedRequest): Promise<EmbeddingListDto> {
    return this.embeddings.embed(request);
  }
}
