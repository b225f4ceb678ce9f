import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsString, Length, MaxLength } from 'class-validator';
import { Optional } from '../../kernel/optional.js';
import { CursorField, PageLimit } from '../../kernel/query-fields.js';

export class ListDocumentsQuery {
  /** 1 to 1000; more is cut to 1000. */
  @PageLimit()
  limit: number = 100;

  /** `next_cursor` of the page before. */
  @CursorField()
  cursor?: string;
}

/** What its owner or an admin may change of a document. */
export class ChangeDocumentDto {
  /** Who may read: `role:<role>`, `group:<group>`, `owner`, or `*`. */
  @Optional()
  @IsArray()
  @ArrayMaxSize(50)
  @IsString({ each: true })
  @MaxLength(110, { each: true })
  readers?: string[];

  @Optional()
  @IsArray()
  @ArrayMaxSize(50)
  @IsString({ each: true })
  @Length(1, 100, { each: true })
  tags?: string[];
}

export class PendingInStoreDto {
  /** @example "vectors:pgvector" */
  store!: string;
  reason!: string | null;
}

export class DocumentDto {
  document_id!: string;
  version!: number;
  filename!: string;
  /** All names that these bytes were uploaded under. */
  names!: string[];
  title!: string;
  kind!: string;
  language!: string;
  law!: string | null;
  size_bytes!: number;
  sha256!: string;
  characters!: number;
  pages!: number | null;
  chunks!: number;
  owner!: string;
  readers!: string[];
  tags!: string[];
  warnings!: string[];
  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' } })
  metadata!: Record<string, string>;
  created_at!: string;
  updated_at!: string;
  /** Stores that do not have this version yet. */
  pending!: PendingInStoreDto[];
}

export class DocumentListDto {
  @ApiProperty({ type: [DocumentDto] })
  documents!: DocumentDto[];
  total_count!: number;
  next_cursor!: string | null;
}

export class ChunkDto {
  chunk_id!: string;
  ordinal!: number;
  content!: string;
  path!: string[];
  provision!: string | null;
  page!: number | null;
  /** Where its text was recognised in a picture (OCR): the confidence, 0 to 100; null else. */
  ocr_confidence!: number | null;
  references!: string[];
}

export class DocumentRemovedDto {
  success!: boolean;
  message!: string;
}
