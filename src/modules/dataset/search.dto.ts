import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsIn, IsInt, IsNumber, IsObject, IsString, Length, Max, Min } from 'class-validator';
import { Optional } from '../../kernel/optional.js';
import { signals, type Signal } from '../search/document-search.port.js';

export class SearchDto {
  /** What is looked for: words, a question, or provisions such as `§ 35 VwVfG`. */
  @IsString()
  @Length(1, 10_000)
  query_text!: string;

  /** Most results, 1 to 1000. */
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 1000 })
  @Optional()
  @IsInt()
  @Min(1)
  @Max(1000)
  top_k: number = 10;

  /**
   * All must match: `document_ids`, `document_type` (md, pdf, ...), `language`, `tags`, `law`, `filename`, `created_from`,
   * `created_to`; anything else is compared with the metadata of the document.
   */
  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  @Optional()
  @IsObject()
  filters?: Record<string, unknown>;

  /** 0 to 1; of the text, as datasets count it. */
  @Optional()
  @IsNumber()
  @Min(0)
  @Max(1)
  min_quality_score: number = 0;

  /** Which legs are asked. */
  @ApiPropertyOptional({ enum: signals, isArray: true })
  @Optional()
  @IsArray()
  @ArrayMaxSize(10)
  @IsIn(signals, { each: true })
  search_types?: Signal[];

  /** By leg, 0 or more. Without: those fitted for the embedding model. */
  @ApiPropertyOptional({ type: 'object', additionalProperties: { type: 'number' } })
  @Optional()
  @IsObject()
  weights?: Record<string, unknown>;

  @ApiPropertyOptional({ enum: ['weighted', 'rrf'] })
  @Optional()
  @IsIn(['weighted', 'rrf'])
  fusion_method: 'weighted' | 'rrf' = 'weighted';
}

export class SearchHitDto {
  document_id!: string;
  chunk_id!: string;
  /** The chunk's own text. */
  content!: string;
  @ApiProperty({ type: 'object', additionalProperties: true })
  metadata!: Record<string, unknown>;
  /** 0 to 1. */
  score!: number;
  /** The leg that contributed most. */
  @ApiProperty({ enum: signals })
  source!: Signal;
  related_docs!: string[];
  quality_score!: number;
  /** Why it is here: rank and score by leg, the words that matched, the path in the graph. */
  @ApiProperty({ type: 'object', additionalProperties: true })
  explain!: Record<string, unknown>;
}

export class SearchStatisticsDto {
  total_documents!: number;
  avg_quality_score!: number;
  avg_relevance_score!: number;
  /** Words. */
  total_tokens!: number;
  @ApiProperty({ type: 'object', additionalProperties: { type: 'number' } })
  domains!: Record<string, number>;
  @ApiProperty({ type: 'object', additionalProperties: { type: 'number' } })
  document_types!: Record<string, number>;
  took_ms!: number;
}

export class SearchReplyDto {
  success!: boolean;
  results!: SearchHitDto[];
  documents_found!: number;
  statistics!: SearchStatisticsDto;
  /** `ok`, or `unavailable: <reason>`, by leg. */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' } })
  signals!: Record<string, string>;
  @ApiProperty({ type: 'string', nullable: true })
  dataset_path!: null;
  message!: string;
}

export class CorpusStatisticsDto {
  total_documents!: number;
  total_chunks!: number;
  total_characters!: number;
  @ApiProperty({ type: 'object', additionalProperties: { type: 'number' } })
  document_types!: Record<string, number>;
  @ApiProperty({ type: 'object', additionalProperties: { type: 'number' } })
  languages!: Record<string, number>;
  @ApiProperty({ type: 'object', additionalProperties: { type: 'number' } })
  laws!: Record<string, number>;
  datasets_count!: number;
}
