import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsISO8601,
  IsNumber,
  IsObject,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { Optional } from '../../kernel/optional.js';
import { CursorField, PageLimit, WordField } from '../../kernel/query-fields.js';
import { UUID } from '../../kernel/uuid.js';
import { WordsField } from './words-field.js';

const states = ['active', 'retired', 'all'] as const;
const free = { type: 'object', additionalProperties: true } as const;
const LONGEST_REFERENCE = 300;

const Reference = (): PropertyDecorator => (target, key) => {
  IsString()(target, key);
  Length(1, LONGEST_REFERENCE)(target, key);
};

export class ListAdaptersQuery {
  /** Only adapters of this base, by its slug. */
  @Optional()
  @IsString()
  @MaxLength(200)
  base?: string;

  /** Only adapters with this domain. */
  @Optional()
  @IsString()
  @MaxLength(200)
  domain?: string;

  @Optional()
  @IsString()
  @MaxLength(200)
  tag?: string;

  /** Only the adapter that this training job registered. */
  @ApiPropertyOptional({ format: 'uuid' })
  @Optional()
  @Matches(UUID, { message: 'job_id must be the id of a training job, a uuid' })
  job_id?: string;

  /** Those in use by default. */
  @WordField(states)
  state?: (typeof states)[number];

  /** Adapters on a page, 1 to 1000; more is cut to 1000. */
  @PageLimit()
  limit?: number;

  /** `next_cursor` of the page before. */
  @CursorField()
  cursor?: string;
}

export class CompareQuery {
  /** By id, name, `ft:` id or alias. */
  @Reference()
  a!: string;

  @Reference()
  b!: string;
}

export class ChangeAdapterDto {
  @Optional()
  @IsString()
  @MaxLength(10_000)
  notes?: string;

  @WordsField()
  tags?: string[];

  /** Words that the router looks for. */
  @WordsField()
  domains?: string[];
}

export class SplitDto {
  /** By id, name, `ft:` id or alias. */
  @Reference()
  version!: string;

  /** Share of the requests, above 0 and at most 1. */
  @IsNumber()
  @Min(0)
  @Max(1)
  weight!: number;
}

export class MoveAliasDto {
  /** By id, name, `ft:` id or alias; `previous`: the one that was live before. */
  @Reference()
  version!: string;

  /** Versions that take a share of the requests beside it. */
  @ApiPropertyOptional({ type: () => [SplitDto] })
  @Optional()
  @IsArray()
  @ArrayMaxSize(10)
  @ValidateNested({ each: true })
  @Type(() => SplitDto)
  splits?: SplitDto[];

  /** Why: numbers, a job, a judgement. Kept in the history. */
  @ApiPropertyOptional(free)
  @Optional()
  @IsObject()
  evidence?: Record<string, unknown>;
}

export class HistoryQuery {
  @Optional()
  @IsString()
  @MaxLength(100)
  alias?: string;

  /** By id, name, `ft:` id or alias. */
  @Optional()
  @IsString()
  @MaxLength(LONGEST_REFERENCE)
  version?: string;

  /** Only what was live at this moment, ISO 8601. */
  @ApiPropertyOptional({ type: 'string', format: 'date-time' })
  @Optional()
  @IsISO8601({ strict: true })
  at?: string;

  /** Entries on a page, 1 to 1000; more is cut to 1000. */
  @PageLimit()
  limit?: number;

  /** `next_cursor` of the page before. */
  @CursorField()
  cursor?: string;
}

export class AdapterFileDto {
  name!: string;
  bytes!: number;
  sha256!: string;
}

/** A version of an adapter; all but domains, tags, notes and state never changes. */
export class AdapterDto {
  id!: string;
  /** `<domain>-<method>-r<rank>-v<n>`. */
  name!: string;
  /** `ft:<base>:<organisation>:<suffix>:<id>`: its name at /v1. */
  model_id!: string;
  state!: 'active' | 'retired';
  /** Slug of the base model. */
  base!: string;
  /** Hub id or folder of the base model. */
  base_model!: string;
  base_hash!: string;
  method!: string;
  rank!: number;
  format!: string;
  /** SHA-256 over the files. */
  content_hash!: string;
  bytes!: number;
  files!: AdapterFileDto[];
  domains!: string[];
  tags!: string[];
  notes!: string;
  /** Aliases that lead to it, also for a share only. */
  aliases!: string[];
  @ApiProperty({ ...free, nullable: true })
  dataset!: Record<string, unknown> | null;
  /** `loss_before`, `loss_after`, `perplexity_before` ... */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'number' } })
  metrics!: Record<string, number>;
  /** What the job ran with. */
  @ApiProperty(free)
  configuration!: Record<string, unknown>;
  origin!: 'training' | 'upload';
  job_id!: string | null;
  created_by!: string;
  /** ISO 8601, UTC. */
  created_at!: string;
  retired_at!: string | null;
  retired_by!: string | null;
}

export class AdapterListDto {
  adapters!: AdapterDto[];
  total_count!: number;
  /** For `cursor` of the next page; null on the last. */
  next_cursor!: string | null;
}

export class AdapterReplyDto {
  success!: boolean;
  message!: string;
  data!: AdapterDto;
}

export class DifferenceDto {
  /** With dots between the keys. */
  key!: string;
  @ApiProperty({ nullable: true })
  a!: unknown;
  @ApiProperty({ nullable: true })
  b!: unknown;
}

export class MetricDto {
  name!: string;
  a!: number | null;
  b!: number | null;
  /** b - a. */
  change!: number | null;
}

export class CompareDto {
  a!: AdapterDto;
  b!: AdapterDto;
  same_base!: boolean;
  same_content!: boolean;
  metrics!: MetricDto[];
  /** What they were trained on, where it differs. */
  data!: DifferenceDto[];
  /** Configuration of the jobs and of the adapters, where they differ. */
  configuration!: DifferenceDto[];
}

export class ShareDto {
  version_id!: string;
  weight!: number;
}

export class DeploymentDto {
  number!: number;
  alias!: string;
  version_id!: string;
  version!: string;
  splits!: ShareDto[];
  kind!: 'move' | 'rollback';
  /** ISO 8601, UTC. */
  from!: string;
  /** null: it still is. */
  to!: string | null;
  by!: string;
  @ApiProperty(free)
  evidence!: Record<string, unknown>;
}

export class AliasDto {
  alias!: string;
  version_id!: string;
  /** Name of the version. */
  version!: string;
  model_id!: string;
  splits!: ShareDto[];
}

export class AliasListDto {
  aliases!: AliasDto[];
}

export class HistoryDto {
  deployments!: DeploymentDto[];
  /** For `cursor` of the next page; null on the last. */
  next_cursor!: string | null;
}

export class DoneDto {
  success!: boolean;
  message!: string;
}
