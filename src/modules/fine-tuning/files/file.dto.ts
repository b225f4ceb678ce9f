import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min, ValidateNested } from 'class-validator';
import { WholeField, WordField } from '../../../kernel/query-fields.js';
import { AfterField } from '../openai-list.js';
import { uploadPurposes, type FilePurpose, type UploadPurpose } from './openai-file.js';

const HOUR = 3600;
const MONTH = 30 * 24 * HOUR;
const MOST_FILES = 10_000;

export class ExpiresAfterDto {
  @IsIn(['created_at'])
  anchor!: 'created_at';

  /** Seconds behind the upload, an hour to 30 days. */
  @ApiProperty({ type: 'integer', minimum: HOUR, maximum: MONTH })
  @Type(() => Number)
  @IsInt()
  @Min(HOUR)
  @Max(MONTH)
  seconds!: number;
}

/** The fields of the form beside the file. */
export class CreateFileDto {
  /** What it is for. Jobs take files of the purpose `fine-tune`; the others are kept and handed out. */
  @ApiProperty({ enum: [...uploadPurposes] })
  @IsIn(uploadPurposes, {
    message: ({ value }) => `purpose: ${JSON.stringify(value) ?? 'nothing'} is not one of ${uploadPurposes.join(', ')}`,
  })
  purpose!: UploadPurpose;

  /** Without it the file stays until it is deleted. */
  @IsOptional()
  @ValidateNested()
  @Type(() => ExpiresAfterDto)
  expires_after?: ExpiresAfterDto;
}

/** As a form is described in openapi.json: the file with its fields. */
export class CreateFileFormDto extends CreateFileDto {
  /** For `fine-tune`: JSON Lines, an example a line. */
  @ApiProperty({ type: 'string', format: 'binary' })
  file!: unknown;
}

export class ListFilesQuery {
  @AfterField()
  after?: string;

  /** Files on a page. */
  @WholeField(1, MOST_FILES)
  limit: number = MOST_FILES;

  /** By the time of the upload; newest first without it. */
  @WordField(['asc', 'desc'])
  order: 'asc' | 'desc' = 'desc';

  @ApiPropertyOptional()
  @IsOptional()
  @IsString()
  @MaxLength(40)
  purpose?: string;
}

export class FileObjectDto {
  id!: string;
  object!: 'file';
  bytes!: number;
  /** Seconds since 1970. */
  created_at!: number;
  filename!: string;
  @ApiProperty({ enum: [...uploadPurposes, 'fine-tune-results'] })
  purpose!: FilePurpose;
  /** Always `processed`: what is in a file is read when a job needs it. */
  @ApiProperty({ enum: ['processed'] })
  status!: 'processed';
  status_details!: string | null;
  expires_at!: number | null;
}

export class FileListDto {
  object!: 'list';
  data!: FileObjectDto[];
  has_more!: boolean;
  first_id!: string | null;
  last_id!: string | null;
}

export class FileDeletedDto {
  id!: string;
  object!: 'file';
  deleted!: boolean;
}
