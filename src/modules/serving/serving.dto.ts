import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsIn, IsObject, IsString, Length } from 'class-validator';
import { Optional } from '../../kernel/optional.js';
import { asBoolean } from '../../kernel/query-text.js';
import { driftKinds } from './drift.js';

const asEvidence = ({ value }: { value: unknown }): unknown => (typeof value === 'string' ? { note: value } : value);

/** Taken from the query or the body, as the clients of the original send either. */
export class AdapterParameters {
  /** Id, name, `ft:` id or alias of an adapter. */
  @Optional()
  @IsString()
  @Length(1, 200)
  adapter_id?: string;

  /** The same, as the original calls an entry of its registry. */
  @Optional()
  @IsString()
  @Length(1, 200)
  registry_id?: string;

  /** Folder of a registered adapter; it may stand in a query, whose length has an end. */
  @Optional()
  @IsString()
  @Length(1, 500)
  path?: string;

  /** Keeps it loaded (load_adapter). */
  @Optional()
  @Transform(asBoolean)
  @IsBoolean()
  pinned?: boolean;

  /** Also where an alias or a pin holds it (unload_adapter). */
  @Optional()
  @Transform(asBoolean)
  @IsBoolean()
  force?: boolean;
}

export class PromoteDto {
  /**
   * The alias that is to mean this version; it is made where there is none.
   * @example "champion"
   */
  @IsString()
  @Length(1, 63)
  alias!: string;

  /** Why: numbers, a job, or a sentence; kept in the history. */
  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  @Optional()
  @Transform(asEvidence)
  @IsObject()
  evidence?: Record<string, unknown>;
}

export class RollbackDto {
  /** Why: kept in the history. */
  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  @Optional()
  @Transform(asEvidence)
  @IsObject()
  evidence?: Record<string, unknown>;
}

export class LoadedDto {
  replica!: string;
  /** null: it is loaded there. */
  @ApiProperty({ type: 'string', nullable: true })
  reason!: string | null;
}

export class AdapterOrderReplyDto {
  @IsIn(['loaded', 'already_loaded', 'activated', 'deactivated', 'unloaded'])
  status!: 'loaded' | 'already_loaded' | 'activated' | 'deactivated' | 'unloaded';
  /** Name of the version; null where none is active any more. */
  @ApiProperty({ type: 'string', nullable: true })
  adapter_id!: string | null;
  version_id?: string;
  model_id?: string;
  replicas?: LoadedDto[];
  /** Answers that did not end in time (unload_adapter). */
  ended_answers?: number;
}

export class PromotionDto {
  alias!: string;
  version_id!: string;
  adapter_id!: string;
  model_id!: string;
  /** Number of the deployment in the history. */
  deployment!: number;
  kind!: 'move' | 'rollback';
  /** ISO 8601. */
  since!: string;
  /** Where it was loaded before the alias moved; empty while no engine is up. */
  replicas!: LoadedDto[];
}

export class DriftDto {
  @ApiProperty({ enum: driftKinds })
  kind!: (typeof driftKinds)[number];
  /** Its name at the engine. */
  engine_name!: string;
  @ApiProperty({ type: 'string', nullable: true })
  version_id!: string | null;
  reason!: string;
}

export class ReplicaAdapterDto {
  version_id!: string;
  engine_name!: string;
  /** leaving: its answers end, then it goes. */
  state!: 'loaded' | 'leaving';
  /** none: its weights change nothing, it answers as its base. */
  effect!: 'changes' | 'none';
  running!: number;
  /** ISO 8601. */
  last_used!: string;
}

export class ReplicaDto {
  id!: string;
  kind!: string;
  state!: 'asleep' | 'starting' | 'up' | 'down' | 'failed';
  /** Whether requests go there. */
  takes_requests!: boolean;
  /** Why it is not up, or a start failed. */
  @ApiProperty({ type: 'string', nullable: true })
  reason!: string | null;
  /** Failed too often; no requests until a look at it succeeds. */
  ejected!: boolean;
  bases!: string[];
  running!: number;
  slots!: number;
  adapters!: ReplicaAdapterDto[];
  drift!: DriftDto[];
}

/** What settings and configuration make of `auto` now. */
export class RouterStatusDto {
  /** Answers where nothing is clear (CLARA_DEFAULT_ADAPTER stands above the configuration); null: the base model. */
  @ApiProperty({ type: 'string', nullable: true })
  default_adapter!: string | null;
  /** Share of undecided requests that take another than the best adapter, 0 to 1. */
  exploration!: number;
  /** Whether meaning counts beside words. */
  embeddings!: boolean;
}

export class ServingStatusDto {
  engine!: string;
  /** Slug of the base model that answers; null before an engine was up. */
  @ApiProperty({ type: 'string', nullable: true })
  base_model!: string | null;
  /** Requests that wait for a replica or an adapter. */
  waiting!: number;
  @ApiProperty({ type: 'string', nullable: true })
  active_adapter!: string | null;
  replicas!: ReplicaDto[];
  router!: RouterStatusDto;
}

export class AdapterPlaceDto {
  replica!: string;
  state!: 'loaded' | 'leaving' | 'loading' | 'refused' | 'absent';
  @ApiProperty({ type: 'string', nullable: true })
  reason!: string | null;
}

export class ListedAdapterDto {
  /** Name of the version. */
  adapter_id!: string;
  version_id!: string;
  model_id!: string;
  base!: string;
  method!: string;
  rank!: number;
  path!: string;
  aliases!: string[];
  pinned!: boolean;
  /** Whether replicas hold it where they have a slot. */
  wanted!: boolean;
  loaded!: boolean;
  replicas!: AdapterPlaceDto[];
}

export class ServedAdaptersDto {
  adapters!: ListedAdapterDto[];
  @ApiProperty({ type: 'string', nullable: true })
  active_adapter!: string | null;
  /** Differences between what replicas hold and what they should. */
  drift!: number;
}

/** As the development script of the original answers it. */
export class BareStatusDto {
  @ApiProperty({ type: 'string', nullable: true })
  base_model!: string | null;
  /** Folders of the loaded adapters, by name. */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' } })
  adapters!: Record<string, string>;
  @ApiProperty({ type: 'string', nullable: true })
  active_adapter!: string | null;
}
