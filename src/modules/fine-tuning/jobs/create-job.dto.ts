import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  IsArray,
  IsIn,
  IsInt,
  IsNumber,
  IsPositive,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { Optional } from '../../../kernel/optional.js';
import { AutoOr } from './auto-or.js';
import { IsMetadata, type Metadata } from './metadata.js';

const LARGEST_SEED = 2_147_483_647;

export class HyperparametersDto {
  /** Passes over the rows. */
  @AutoOr({ kind: 'whole', min: 1, max: 10_000 })
  n_epochs?: number | 'auto';

  /** Rows of one optimizer step; `auto` is about 0.2 % of the rows, 1 to 16. */
  @AutoOr({ kind: 'whole', min: 1, max: 4096 })
  batch_size?: number | 'auto';

  /** Factor to the learning rate of the configuration. */
  @AutoOr({ kind: 'decimal', min: 0.000001, max: 1000 })
  learning_rate_multiplier?: number | 'auto';
}

export class DpoHyperparametersDto extends HyperparametersDto {
  /** How much leaving the reference costs. */
  @AutoOr({ kind: 'decimal', min: 0.000001, max: 2 })
  beta?: number | 'auto';
}

export class SupervisedMethodDto {
  @Optional()
  @ValidateNested()
  @Type(() => HyperparametersDto)
  hyperparameters?: HyperparametersDto;
}

export class DpoMethodDto {
  @Optional()
  @ValidateNested()
  @Type(() => DpoHyperparametersDto)
  hyperparameters?: DpoHyperparametersDto;
}

const methods = ['supervised', 'dpo'] as const;

export class MethodDto {
  /** `supervised` learns from answers, `dpo` from pairs of answers. */
  @IsIn(methods, {
    message: ({ value }) =>
      `method.type: ${JSON.stringify(value) ?? 'nothing'} is not one of ${methods.join(', ')}` +
      (value === 'reinforcement' ? '; reinforcement fine-tuning is not offered' : ''),
  })
  type!: (typeof methods)[number];

  @Optional()
  @ValidateNested()
  @Type(() => SupervisedMethodDto)
  supervised?: SupervisedMethodDto;

  @Optional()
  @ValidateNested()
  @Type(() => DpoMethodDto)
  dpo?: DpoMethodDto;
}

/** What OpenAI's API has no name for; left out, the configuration counts. */
export class LoraDto {
  @Optional()
  @IsInt()
  @Min(1)
  @Max(1024)
  rank?: number;

  @Optional()
  @IsNumber()
  @IsPositive()
  alpha?: number;

  /** Names of layers; `["all-linear"]` for all. */
  @Optional()
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(50)
  @Matches(/^(all-linear|\w+(\.\w+)*)$/, { each: true, message: 'target_modules: each must be the name of a module' })
  target_modules?: string[];
}

export class CreateFineTuningJobDto {
  /** A base model or an `ft:` model, as /v1/models lists them. */
  @IsString()
  @Length(1, 1024)
  model!: string;

  @IsString()
  @Length(1, 100)
  training_file!: string;

  @Optional()
  @IsString()
  @Length(1, 100)
  validation_file?: string;

  /** Becomes a part of the new model's name. */
  @Optional()
  @IsString()
  @MaxLength(64)
  suffix?: string;

  /** By chance without one. */
  @Optional()
  @IsInt()
  @Min(0)
  @Max(LARGEST_SEED)
  seed?: number;

  /** The older place of `method.<type>.hyperparameters`. */
  @Optional()
  @ValidateNested()
  @Type(() => HyperparametersDto)
  hyperparameters?: HyperparametersDto;

  @Optional()
  @ValidateNested()
  @Type(() => MethodDto)
  method?: MethodDto;

  /** Up to 16 texts to find the job by. */
  @ApiPropertyOptional({ type: 'object', additionalProperties: { type: 'string' } })
  @Optional()
  @IsMetadata()
  metadata?: Metadata;

  /** None is offered: null, or an empty list. */
  @ApiPropertyOptional({ type: 'array', maxItems: 0, items: {} })
  @Optional()
  @IsArray()
  @ArrayMaxSize(0, { message: 'integrations: none is offered; leave it out, or send null' })
  integrations?: unknown[];

  @Optional()
  @ValidateNested()
  @Type(() => LoraDto)
  lora?: LoraDto;
}
