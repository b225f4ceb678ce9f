import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsString, Length, MaxLength } from 'class-validator';
import { Optional } from '../../../kernel/optional.js';

const LONGEST_NOTES = 10_000;

/** The fields of the form beside its files. */
export class UploadAdapterDto {
  /**
   * The files of the adapter's folder under their own names, or one zip, tar or tar.gz of it; in fields of any name, such as
   * `files`.
   */
  @ApiProperty({ type: 'array', items: { type: 'string', format: 'binary' }, required: true })
  files?: unknown;

  /** Slug, hub id, folder or hash of the base; where adapter_config.json names none, or under another name. */
  @Optional()
  @IsString()
  @Length(1, 1024)
  base_model?: string;

  /** First part of the name `<domain>-<method>-r<rank>-v<n>`; the first of `domains` by default. */
  @Optional()
  @IsString()
  @MaxLength(200)
  domain?: string;

  /** Words that the router looks for; in a form with commas between. */
  @ApiPropertyOptional({ type: 'array', items: { type: 'string' } })
  @Optional()
  @IsArray()
  @ArrayMaxSize(50)
  @IsString({ each: true })
  @Length(1, 200, { each: true })
  domains?: string[];

  @ApiPropertyOptional({ type: 'array', items: { type: 'string' } })
  @Optional()
  @IsArray()
  @ArrayMaxSize(50)
  @IsString({ each: true })
  @Length(1, 200, { each: true })
  tags?: string[];

  @Optional()
  @IsString()
  @MaxLength(LONGEST_NOTES)
  notes?: string;

  /** Part of the `ft:` id. */
  @Optional()
  @IsString()
  @MaxLength(64)
  suffix?: string;
}
