import { ApiProperty } from '@nestjs/swagger';
import type { DatasetState } from './dataset-record.js';
import type { Split } from './version-row.js';

const free = { type: 'object', additionalProperties: true } as const;
const freeOrNull = { ...free, nullable: true } as const;
const paths = { type: 'object', additionalProperties: { type: 'string' } } as const;
const counts = { type: 'object', additionalProperties: { type: 'number' } } as const;
const freeList = { type: 'array', items: free } as const;

export class VersionDto {
  version!: number;
  status!: DatasetState;
  created_at!: string;
  created_by!: string;
  started_at!: string | null;
  completed_at!: string | null;
  query_text!: string | null;
  /** What it is built from, without the rows themselves. */
  @ApiProperty(free)
  source!: Record<string, unknown>;
  /** Form of the rows, split, least quality, formats. */
  @ApiProperty(free)
  options!: Record<string, unknown>;
  /** Rows. */
  document_count!: number;
  /** Words. */
  total_tokens!: number;
  /** By the original's formula; metadata.statistics has avg_check_score, the mean of all checks, beside it. */
  quality_score_avg!: number;
  /** SHA-256 over the hashes of the rows, in order; null until it is completed. */
  content_hash!: string | null;
  /** By format; relative to the application's folder where they lie in it. */
  @ApiProperty(paths)
  export_paths!: Record<string, string>;
  /** While it is built. */
  @ApiProperty(freeOrNull)
  progress!: Record<string, unknown> | null;
  /** `statistics` of a completed version, `error` of a failed one. */
  @ApiProperty(free)
  metadata!: Record<string, unknown>;
}

/** A dataset with its newest version. */
export class DatasetDto {
  dataset_id!: string;
  name!: string;
  description!: string;
  /** Of the newest version. */
  status!: DatasetState;
  /** ISO 8601, UTC. */
  created_at!: string;
  updated_at!: string;
  created_by!: string;
  query_text!: string | null;
  /** Rows. */
  document_count!: number;
  /** Words. */
  total_tokens!: number;
  /** By the original's formula; metadata.statistics has avg_check_score, the mean of all checks, beside it. */
  quality_score_avg!: number;
  /** By format; relative to the application's folder where they lie in it. */
  @ApiProperty(paths)
  export_paths!: Record<string, string>;
  /** `statistics` of a completed version, `error` of a failed one. */
  @ApiProperty(free)
  metadata!: Record<string, unknown>;
  /** Number of the newest version. */
  version!: number;
  /** Number of the newest version that is completed. */
  latest_completed!: number | null;
  content_hash!: string | null;
  /** Who may read besides the owner. */
  readers!: string[];
  /** While it is built. */
  @ApiProperty(freeOrNull)
  progress!: Record<string, unknown> | null;
}

export class DatasetReplyDto {
  success!: boolean;
  dataset_id!: string;
  status!: DatasetState;
  message!: string;
  data!: DatasetDto;
}

export class DatasetListDto {
  datasets!: DatasetDto[];
  /** Sets with the status asked for; all without one. */
  total_count!: number;
  /** For `cursor` of the next page; null on the last. */
  next_cursor!: string | null;
}

export class ExportReplyDto {
  success!: boolean;
  message!: string;
  dataset_id!: string;
  version!: number;
  format!: string;
  /** Relative to the application's folder where it lies in it. */
  export_path!: string;
  download_url!: string;
  bytes!: number;
  sha256!: string;
}

export class DoneReplyDto {
  success!: boolean;
  dataset_id!: string;
  message!: string;
}

export class VersionListDto {
  dataset_id!: string;
  versions!: VersionDto[];
  /** For `before` of the next page; null on the last. */
  next_before!: number | null;
}

export class RowDto {
  ordinal!: number;
  split!: Split;
  /** SHA-256 of the canonical row. */
  hash!: string;
  @ApiProperty(free)
  row!: Record<string, unknown>;
  @ApiProperty(free)
  origin!: Record<string, unknown>;
  /** By the original's formula (length, metadata, relevance): the `quality_score` of exports, compared with min_quality_score. */
  quality!: number;
  /** Weighted mean of the checks in `findings`, 0 to 1; min_quality_score does not look at it. */
  check_score!: number | null;
  /** What each check says: check, score, verdict ok or warn, reason. Rows with a verdict reject are not in the version. */
  @ApiProperty(freeList)
  findings!: Record<string, unknown>[];
  /** Words. */
  tokens!: number;
}

export class RowPageDto {
  dataset_id!: string;
  version!: number;
  rows!: RowDto[];
  /** For `from` of the next page; null on the last. */
  next_from!: number | null;
}

export class DiffRowDto {
  ordinal!: number;
  hash!: string;
  @ApiProperty(free)
  row!: Record<string, unknown>;
}

export class DiffDto {
  dataset_id!: string;
  from!: number;
  to!: number;
  @ApiProperty(counts)
  counts!: Record<string, number>;
  /** The first of them. */
  added!: DiffRowDto[];
  removed!: DiffRowDto[];
}

export class AnalysisDto {
  dataset_id!: string;
  version!: number;
  @ApiProperty(free)
  statistics!: Record<string, unknown>;
  /** Distributions of quality (the original's formula), check_score (all checks), length and relevance. */
  @ApiProperty(free)
  distributions!: Record<string, unknown>;
  @ApiProperty(free)
  checks!: Record<string, unknown>;
  exact_duplicates!: number;
  /** How many rows a check warned of, and the first 500 of them with the reasons. */
  @ApiProperty(free)
  warned_rows!: Record<string, unknown>;
  /** Lowest check_score first, with what the checks said. */
  @ApiProperty(freeList)
  worst_rows!: Record<string, unknown>[];
}

export class LineageDto {
  dataset_id!: string;
  version!: number;
  query_text!: string | null;
  @ApiProperty(free)
  source!: Record<string, unknown>;
  @ApiProperty(counts)
  sources!: Record<string, number>;
  /** Documents that most rows came from. */
  @ApiProperty(freeList)
  documents!: Record<string, unknown>[];
  @ApiProperty(freeList)
  rows!: Record<string, unknown>[];
  /** For `from` of the next page; null on the last. */
  next_from!: number | null;
}
