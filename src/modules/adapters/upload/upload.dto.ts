import { ApiProperty } from '@nestjs/swagger';
import { IsString, Length, MaxLength } from 'class-validator';
import { Optional } from '../../../kernel/optional.js';
import { WordsField } from '../words-field.js';

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
  @WordsField()
  domains?: string[];

  @WordsField()
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
