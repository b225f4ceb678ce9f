import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ArrayMinSize, ArrayUnique, IsArray, IsIn, IsInt, IsOptional, IsString, Length, Min } from 'class-validator';
import { permissions, type Permission } from './permissions.js';

/** What a personal token can be good for: everything but making further tokens. */
export const scopes = permissions.filter((name) => name !== 'tokens:own');

export class CreatePersonalTokenDto {
  /** To tell it from the others. */
  @IsString()
  @Length(1, 100)
  name!: string;

  /** Permissions that it gets; the owner must have each of them. */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(scopes, { each: true })
  scopes!: Permission[];

  /** Days until it ends; the most is CLARA_TOKEN_MAX_DAYS. */
  @ApiPropertyOptional({ type: 'integer', minimum: 1, default: 90 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  expires_in_days?: number;
}

export class PersonalTokenDto {
  id!: string;
  owner!: string;
  name!: string;
  scopes!: string[];
  created_at!: Date;
  expires_at!: Date;
  last_used_at!: Date | null;
  revoked_at!: Date | null;
}

export class NewPersonalTokenDto extends PersonalTokenDto {
  /** Shown this once; only its digest is kept. */
  token!: string;
}

export class PersonalTokenListDto {
  tokens!: PersonalTokenDto[];
}

export class ListPersonalTokensQuery {
  /** `true`: those of everybody (admin). */
  @IsOptional()
  @IsIn(['true', 'false'])
  all?: 'true' | 'false';
}

export class TicketDto {
  /** Good for one handshake, as `?ticket=`. */
  ticket!: string;
  /** Seconds. */
  expires_in!: number;
}
