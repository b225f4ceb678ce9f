import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsBoolean,
  IsInt,
  IsNumber,
  IsString,
  Max,
  MaxLength,
  Min,
  MinLength,
} from 'class-validator';
import { Optional } from '../../../kernel/optional.js';

const MOST_PROMPTS = 64;
const LONGEST_PROMPT = 200_000;

/** What counts where an option is not sent. */
export const GENERATION_DEFAULTS = {
  max_tokens: 256,
  temperature: 0.7,
  top_p: 0.95,
  route: true,
  require_confidence: 0,
};

/** The original's options of a generation. */
export class GenerationOptions {
  @Optional()
  @IsInt()
  @Min(1)
  @Max(32_768)
  @ApiPropertyOptional({ default: GENERATION_DEFAULTS.max_tokens })
  max_tokens?: number;

  @Optional()
  @IsNumber()
  @Min(0)
  @Max(2)
  @ApiPropertyOptional({ default: GENERATION_DEFAULTS.temperature })
  temperature?: number;

  @Optional()
  @IsNumber()
  @Min(0)
  @Max(1)
  @ApiPropertyOptional({ default: GENERATION_DEFAULTS.top_p })
  top_p?: number;

  /** Version, `ft:` id, alias or base model; it stands above the router. */
  @Optional()
  @IsString()
  @MaxLength(500)
  adapter_id?: string;

  /** Let the router choose where no adapter is named. */
  @Optional()
  @IsBoolean()
  @ApiPropertyOptional({ default: GENERATION_DEFAULTS.route })
  route?: boolean;

  /** Below this confidence of the router its default answers. */
  @Optional()
  @IsNumber()
  @Min(0)
  @Max(1)
  @ApiPropertyOptional({ default: GENERATION_DEFAULTS.require_confidence })
  require_confidence?: number;
}

export class GenerateDto extends GenerationOptions {
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_PROMPT)
  prompt!: string;
}

export class GenerateBatchDto extends GenerationOptions {
  @IsString({ each: true })
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_PROMPTS)
  @MaxLength(LONGEST_PROMPT, { each: true })
  prompts!: string[];
}

export class RoutePromptDto {
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_PROMPT)
  prompt!: string;
}

export class GenerateReplyDto {
  output!: string;
  /** The version that answered; null: the base model. */
  @ApiProperty({ type: String, nullable: true })
  adapter_id!: string | null;
  @ApiProperty({ type: 'integer' })
  tokens_generated!: number;
}

export class BatchEntryDto {
  @ApiProperty({ type: String, nullable: true })
  output!: string | null;
  @ApiProperty({ type: String, nullable: true })
  adapter_id!: string | null;
  @ApiProperty({ type: 'integer' })
  tokens_generated!: number;
  /** Why this prompt has no answer; null: it has one. */
  @ApiProperty({ type: String, nullable: true })
  error!: string | null;
}

export class GenerateBatchReplyDto {
  /** One for each prompt, in order. */
  results!: BatchEntryDto[];
}

export class RouteReplyDto {
  /** null: the base model. */
  @ApiProperty({ type: String, nullable: true })
  adapter_id!: string | null;
  confidence!: number;
  fallback!: boolean;
  rationale!: string;
}
