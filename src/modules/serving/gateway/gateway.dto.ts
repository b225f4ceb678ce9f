import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** What of OpenAI's request CLARA looks at; the engine gets every other field as it came. */
export class AnswerRequestDto {
  @ApiProperty({ description: 'Base model, version, `ft:` id, alias, or `auto`.' })
  model!: string;
  @ApiPropertyOptional({ description: 'Server-sent events, ended by `data: [DONE]`.' })
  stream?: boolean;
  @ApiPropertyOptional({ description: 'Keeps one who asks at the same version of a split alias.' })
  user?: string;
}
