import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
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
import { signals, type Signal } from '../search/document-search.port.js';
import { questionMakers, rowForms, type QuestionMaker, type RowForm } from './dataset-record.js';
import { exportFormats, type ExportFormat } from './formats/export-row.js';

const LONGEST_QUERY = 10_000;
const MOST_ROWS = 10_000;
const MOST_DOCUMENTS = 10_000;
const NAME = /^(?=.*[\p{L}\p{N}])[\p{L}\p{N}_ ]+$/u;
const READER = /^(\*|(role|group|owner):.{1,200})$/u;

const composed = ({ value }: { value: unknown }): unknown =>
  typeof value === 'string' ? value.normalize('NFC') : value;
const freeObject = { type: 'object', additionalProperties: true } as const;

export class SearchQueryDto {
  @IsString()
  @Length(1, LONGEST_QUERY)
  query_text!: string;

  /** Hits to take, 1 to 1000. */
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 1000, default: 100 })
  @Optional()
  @IsInt()
  @Min(1)
  @Max(1000)
  top_k?: number;

  /**
   * `document_ids`, `kinds`, `languages`, `tags`, `laws`, `filename`, `created_from`, `created_to`, `metadata`; any other
   * key with a text is asked of the document's metadata.
   */
  @ApiPropertyOptional(freeObject)
  @Optional()
  @IsObject()
  filters?: Record<string, unknown>;

  /** Rows whose quality_score by the original's formula is lower are left out, 0 to 1. The checks do not count in it. */
  @ApiPropertyOptional({ type: 'number', minimum: 0, maximum: 1, default: 0.5 })
  @Optional()
  @IsNumber()
  @Min(0)
  @Max(1)
  min_quality_score?: number;

  @ApiPropertyOptional({ enum: signals, isArray: true, default: ['vector', 'graph'] })
  @Optional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(signals, { each: true })
  search_types?: Signal[];

  /** By search type, 0 to 1; absent: those fitted for the embedder. */
  @ApiPropertyOptional(freeObject)
  @Optional()
  @IsObject()
  weights?: Record<string, unknown>;
}

export class DocumentsDto {
  /** All passages of these documents. */
  @Optional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_DOCUMENTS)
  @IsString({ each: true })
  @MaxLength(200, { each: true })
  document_ids?: string[];

  /** As in a search; every document that matches. */
  @ApiPropertyOptional(freeObject)
  @Optional()
  @IsObject()
  filters?: Record<string, unknown>;
}

export class UploadDto {
  /**
   * A file on the server, in one of CLARA_DATASET_DIRS.
   * @example "data-samples/verwaltung.jsonl"
   */
  @IsString()
  @Length(1, 1024)
  path!: string;
}

export class SplitDto {
  /** Share of the rows to train on; the three are 1 together. */
  @ApiPropertyOptional({ type: 'number', default: 0.8 })
  @Optional()
  @IsNumber()
  @Min(0.01)
  @Max(1)
  train?: number;

  @ApiPropertyOptional({ type: 'number', default: 0.1 })
  @Optional()
  @IsNumber()
  @Min(0)
  @Max(0.99)
  validation?: number;

  @ApiPropertyOptional({ type: 'number', default: 0.1 })
  @Optional()
  @IsNumber()
  @Min(0)
  @Max(0.99)
  test?: number;

  /** The same rows with the same seed are always split alike. */
  @ApiPropertyOptional({ type: 'integer', default: 42 })
  @Optional()
  @IsInt()
  @Min(0)
  @Max(2_147_483_647)
  seed?: number;

  /** What is never on two sides: a `document`, or a `chunk` (in laws a provision). */
  @ApiPropertyOptional({ enum: ['document', 'chunk'], default: 'document' })
  @Optional()
  @IsIn(['document', 'chunk'])
  by?: 'document' | 'chunk';
}

export class QuestionsDto {
  /** `model`: the one of CLARA_WRITER_URL writes them; it is sent the passages. */
  @ApiProperty({ enum: questionMakers })
  @IsIn(questionMakers)
  by!: QuestionMaker;

  /** Of a model: questions about a passage at most, 1 to 20. */
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 20, default: 3 })
  @Optional()
  @IsInt()
  @Min(1)
  @Max(20)
  per_passage?: number;

  /** Of a model: what it is told to write, instead of our own words; the form of its answer is added. */
  @Optional()
  @IsString()
  @Length(1, LONGEST_QUERY)
  prompt?: string;
}

/** What a version is made from, and how. Exactly one of search_query, documents, upload, rows and a file. */
export class CreateVersionDto {
  @Optional()
  @ValidateNested()
  @Type(() => SearchQueryDto)
  search_query?: SearchQueryDto;

  @Optional()
  @ValidateNested()
  @Type(() => DocumentsDto)
  documents?: DocumentsDto;

  @Optional()
  @ValidateNested()
  @Type(() => UploadDto)
  upload?: UploadDto;

  /** Rows of any known format, at most 10,000. */
  @ApiPropertyOptional({ type: 'array', items: freeObject, maxItems: MOST_ROWS })
  @Optional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_ROWS)
  @IsObject({ each: true })
  rows?: Record<string, unknown>[];

  /** Of a form: a jsonl, json, csv, parquet or arrow file of any known format. */
  @ApiPropertyOptional({ type: 'string', format: 'binary' })
  file?: unknown;

  /** `text`: a row is a passage. `questions`: question-answer rows about passages. */
  @ApiPropertyOptional({ enum: rowForms, default: 'text' })
  @Optional()
  @IsIn(rowForms)
  row_form?: RowForm;

  /** Who writes the questions of `row_form: questions`, which it implies; absent: templates. */
  @Optional()
  @ValidateNested()
  @Type(() => QuestionsDto)
  questions?: QuestionsDto;

  /** For sources other than a search; 0 to 1. */
  @ApiPropertyOptional({ type: 'number', minimum: 0, maximum: 1, default: 0 })
  @Optional()
  @IsNumber()
  @Min(0)
  @Max(1)
  min_quality_score?: number;

  @Optional()
  @ValidateNested()
  @Type(() => SplitDto)
  split?: SplitDto;

  @ApiPropertyOptional({ enum: exportFormats, isArray: true, default: ['jsonl'] })
  @Optional()
  @IsArray()
  @ArrayMaxSize(exportFormats.length)
  @ArrayUnique()
  @IsIn(exportFormats, { each: true })
  export_formats?: ExportFormat[];

  /** Who may read besides the owner: `*`, `role:trainer`, `group:bauamt`; absent: whoever may read the documents. */
  @Optional()
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  @Matches(READER, { each: true, message: 'readers: each must be *, role:<name>, group:<name> or owner:<subject>' })
  readers?: string[];
}

export class CreateDatasetDto extends CreateVersionDto {
  /** Letters, digits, space and _. */
  @ApiProperty({ minLength: 3, maxLength: 100, example: 'Verwaltungsrecht Grundlagen' })
  @Transform(composed)
  @IsString()
  @Length(3, 100)
  @Matches(NAME, { message: 'name must consist of letters, digits, spaces and underscores' })
  name!: string;

  @Optional()
  @IsString()
  @MaxLength(5000)
  description?: string;
}
