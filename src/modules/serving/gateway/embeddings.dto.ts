import { ApiProperty } from '@nestjs/swagger';

export class EmbeddingsRequestDto {
  /** Name of the embedding model; the reply names it. */
  model!: string;
  @ApiProperty({ oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] })
  input!: string | string[];
  @ApiProperty({ enum: ['float', 'base64'], required: false })
  encoding_format?: 'float' | 'base64';
  /** What the texts are to the model; passage by default. */
  @ApiProperty({ enum: ['query', 'passage'], required: false })
  input_type?: 'query' | 'passage';
}

class EmbeddingDto {
  @ApiProperty({ enum: ['embedding'] })
  object!: 'embedding';
  @ApiProperty({ type: 'integer' })
  index!: number;
  @ApiProperty({ oneOf: [{ type: 'array', items: { type: 'number' } }, { type: 'string' }] })
  embedding!: number[] | string;
}

class EmbeddingUsageDto {
  @ApiProperty({ type: 'integer' })
  prompt_tokens!: number;
  @ApiProperty({ type: 'integer' })
  total_tokens!: number;
}

export class EmbeddingListDto {
  @ApiProperty({ enum: ['list'] })
  object!: 'list';
  data!: EmbeddingDto[];
  model!: string;
  usage!: EmbeddingUsageDto;
}
