import { Transform, Type } from 'class-transformer';
import { IsIn, IsInt, IsISO8601, IsNotEmpty, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';

const LONGEST_PAGE = 1000;

export class AuditFilter {
  /** Start of the action, e.g. `training.job`. */
  @IsOptional()
  @IsString()
  @MaxLength(300)
  action?: string;

  /** Subject of who did it, as tokens name it. */
  @IsOptional()
  @IsString()
  @MaxLength(300)
  actor?: string;

  @IsOptional()
  @IsString()
  @MaxLength(300)
  target_type?: string;

  @IsOptional()
  @IsString()
  @MaxLength(300)
  target_id?: string;

  @IsOptional()
  @IsIn(['done', 'refused', 'failed'])
  outcome?: 'done' | 'refused' | 'failed';

  /** From this time on, ISO 8601. */
  @IsOptional()
  @IsISO8601({ strict: true })
  from?: string;

  /** Before this time, ISO 8601. */
  @IsOptional()
  @IsISO8601({ strict: true })
  to?: string;

  @IsOptional()
  @IsString()
  @MaxLength(64)
  request_id?: string;
}

export class ListAuditQuery extends AuditFilter {
  /** Rows on a page, 1 to 1000; more is cut to 1000. */
  @IsOptional()
  @Type(() => Number)
  @Transform(({ value }: { value: unknown }) => (typeof value === 'number' ? Math.min(value, LONGEST_PAGE) : value))
  @IsInt()
  @Min(1)
  @Max(LONGEST_PAGE)
  limit: number = 100;

  /** `next_cursor` of the page before. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  cursor?: string;
}

export class ExportAuditQuery extends AuditFilter {
  @IsOptional()
  @IsIn(['csv', 'jsonl'])
  format: 'csv' | 'jsonl' = 'jsonl';
}

export class VerifyAuditQuery {
  /** `true`: verify again, however new the last result is. */
  @IsOptional()
  @IsIn(['true', 'false'])
  fresh?: 'true' | 'false';
}

export class ForgetSubjectDto {
  /** Subject whose name is erased from the trail. */
  @IsString()
  @IsNotEmpty()
  @MaxLength(300)
  subject!: string;
}

export class ForgottenDto {
  /** Pseudonyms that have lost their name; 0 where the subject was not known. */
  erased!: number;
}

export class AuditRowDto {
  id!: number;
  time!: Date;
  /** Name of the subject; its pseudonym once it is erased; null where nobody was known. */
  actor!: string | null;
  pseudonym!: string | null;
  roles!: string[];
  via!: string | null;
  certificate!: string | null;
  action!: string;
  target_type!: string | null;
  target_id!: string | null;
  outcome!: 'done' | 'refused' | 'failed';
  address!: string;
  request_id!: string;
  detail!: Record<string, unknown>;
}

export class AuditListDto {
  rows!: AuditRowDto[];
  next_cursor!: string | null;
}

export class AuditFindingDto {
  severity!: 'error' | 'warning';
  kind!: string;
  message!: string;
  seq!: number | null;
  row_id!: number | null;
}

export class AuditVerifyDto {
  ok!: boolean;
  /** Links that were computed again. */
  links!: number;
  findings!: AuditFindingDto[];
  /** Findings beyond those listed. */
  more!: number;
  /** Milliseconds it took. */
  ms!: number;
  /** When it ended. */
  verified_at!: string;
}
