import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import {
  IsArray,
  IsBoolean,
  IsInt,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ArrayMaxSize,
} from 'class-validator';
import { Optional } from '../../kernel/optional.js';
import { CursorField, PageLimit, WholeField } from '../../kernel/query-fields.js';
import { PendingInStoreDto } from '../documents/document.dto.js';
import { type FileStatus, fileStatuses, type IngestionStatus, ingestionStatuses } from './file-state.js';

/** Form fields come once, several times, or as one text with commas. */
const asList = ({ value }: { value: unknown }): unknown => {
  if (value === null || value === undefined || value === '') return undefined;
  const items: unknown[] = Array.isArray(value) ? value : [value];
  return items
    .flatMap((item) => (typeof item === 'string' ? item.split(',').map((part) => part.trim()) : [item]))
    .filter((item) => item !== '');
};

const asBoolean = ({ value }: { value: unknown }): unknown =>
  typeof value === 'string' ? !['false', '0', ''].includes(value) : (value ?? undefined);

/** What belongs to every way of bringing documents in. */
export class DocumentOptionsDto {
  /** Who may read: `role:<role>`, `group:<group>`, `owner`, or `*` for everybody who may search (the default). */
  @Optional()
  @Transform(asList)
  @IsArray()
  @ArrayMaxSize(50)
  @IsString({ each: true })
  @MaxLength(110, { each: true })
  readers?: string[];

  /** Free words to find the documents by. */
  @Optional()
  @Transform(asList)
  @IsArray()
  @ArrayMaxSize(50)
  @IsString({ each: true })
  @Length(1, 100, { each: true })
  tags?: string[];
}

export class UploadFilesDto extends DocumentOptionsDto {
  @ApiProperty({ type: 'array', items: { type: 'string', format: 'binary' } })
  files?: unknown;
}

export class UploadDirectoryDto extends DocumentOptionsDto {
  /** A folder on this host, inside of CLARA_DOCUMENT_DIRS. */
  @IsString()
  @Length(1, 4096)
  directory_path!: string;

  /** Files of one job, 1 to 1000; more files make more jobs. */
  @WholeField(1, 1000)
  chunk_size?: number;
}

export class IngestTextDto extends DocumentOptionsDto {
  /** The text itself; Markdown headings make its structure. */
  @IsString()
  @Length(1, 10_000_000)
  text!: string;

  /** What the document is called; the same name again is a new version. */
  @Optional()
  @IsString()
  @Length(1, 400)
  filename?: string;
}

export class StartUploadDto extends DocumentOptionsDto {
  @IsString()
  @Length(1, 400)
  filename!: string;

  /** Bytes of the whole file. */
  @ApiProperty({ type: 'integer', minimum: 1 })
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  total_size!: number;

  /** Bytes of each chunk but the last: 64 KiB to 64 MiB. */
  @ApiPropertyOptional({ type: 'integer', minimum: 65_536, maximum: 67_108_864 })
  @Optional()
  @IsInt()
  @Min(65_536)
  @Max(67_108_864)
  chunk_size?: number;

  /** Of the whole file, in hexadecimal; checked at the end. */
  @Optional()
  @Matches(/^[0-9a-fA-F]{64}$/, { message: 'sha256: 64 hexadecimal digits' })
  sha256?: string;
}

export class ListIngestionQuery {
  /** 1 to 1000; more is cut to 1000. */
  @PageLimit(50)
  limit: number = 50;

  /** `x-next-cursor` of the page before. */
  @CursorField()
  cursor?: string;
}

export class RecoverQuery {
  /** Files that were tried more often are left out; 1 to 1000. */
  @WholeField(1, 1000)
  max_retries?: number;

  /** Tries those again as well whose content cannot be read (encrypted, broken, unsupported). */
  @Optional()
  @Transform(asBoolean)
  @IsBoolean()
  force_retry?: boolean;
}

export class IngestionFileDto {
  file_id!: string;
  filename!: string;
  @ApiProperty({ enum: fileStatuses })
  status!: FileStatus;
  size_bytes!: number;
  sha256!: string;
  document_id!: string | null;
  version!: number | null;
  chunks!: number;
  characters!: number;
  attempts!: number;
  /** How far it is, where reading it takes long, such as "OCR: 3 of 30 pages"; null else. */
  progress!: string | null;
  /** Why it failed, in one word: empty, encrypted, broken, unsupported, too_large, no_text, timeout, memory, crashed, internal. */
  reason!: string | null;
  error_message!: string | null;
  warnings!: string[];
  /** Stores that do not have it yet. */
  pending!: PendingInStoreDto[];
  updated_at!: string;
}

export class IngestionJobDto {
  job_id!: string;
  @ApiProperty({ enum: ingestionStatuses })
  status!: IngestionStatus;
  created_at!: string;
  updated_at!: string;
  completed_at!: string | null;
  file_count!: number;
  processed_files!: number;
  failed_files!: number;
  /** 0 to 100. */
  progress_percent!: number;
  error_message!: string | null;
  kind!: string;
  created_by!: string;
  readers!: string[];
  tags!: string[];
}

export class UploadReplyDto {
  message!: string;
  job_id!: string;
  file_count!: number;
  /** Rough, in seconds. @example "4s" */
  estimated_processing_time!: string;
  files!: string[];
}

export class ScanStartedDto {
  message!: string;
  scan_job_id!: string;
  status!: string;
  directory_path!: string;
}

export class ScanDto {
  scan_job_id!: string;
  status!: string;
  directory_path!: string;
  files_found!: number;
  upload_jobs_created!: number;
  upload_job_ids!: string[];
  error!: string | null;
  /** Seconds. */
  elapsed_time!: number;
  /** Files copied in so far. */
  bulk_copy_progress!: number;
}

export class UploadDto {
  upload_id!: string;
  filename!: string;
  status!: string;
  total_size!: number;
  chunk_size!: number;
  total_chunks!: number;
  /** Numbers of the chunks that are here, from 0. */
  received_chunks!: number[];
  missing_chunks!: number;
  /** 0 to 100. */
  progress_percent!: number;
  job_id!: string | null;
}

export class IngestionMetricsDto {
  total_files!: number;
  successful_files!: number;
  failed_files!: number;
  /** Seconds from the upload to the end. */
  processing_time!: number;
  content_extracted_chars!: number;
  chunks_created!: number;
  /** Provisions that the texts refer to. */
  ai_entities_found!: number;
}

export class RecoverReplyDto {
  success!: boolean;
  message!: string;
  recovered_files!: number;
}

export class FileTypesDto {
  @ApiProperty({ type: 'object', additionalProperties: { type: 'array', items: { type: 'string' } } })
  categories!: Record<string, string[]>;
  all_extensions!: string[];
  registered_categories!: string[];
  version!: string;
  timestamp!: string;
}
