import { applyDecorators } from '@nestjs/common';
import { Optional } from '../../kernel/optional.js';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsInt,
  IsObject,
  IsString,
  IsUrl,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
} from 'class-validator';
import { COMMON_NAME, SERVICE_ID, type Names } from './names.js';
import { reasonNames } from './revocation.js';

const serviceId = { message: 'service_id: it must be 3 to 64 of a-z, 0-9 and -' };
const commonName = { message: 'common_name: it must be 3 to 64 letters, digits, spaces, dots, - and _' };
const MOST_NAMES = 50;
const LONGEST_CSR = 16_384;

const NameList = (longest: number): PropertyDecorator =>
  applyDecorators(
    Optional(),
    IsArray(),
    ArrayMaxSize(MOST_NAMES),
    IsString({ each: true }),
    MaxLength(longest, { each: true }),
  );

class NamesDto {
  /** @example "ingestion" */
  @Matches(SERVICE_ID, serviceId)
  service_id!: string;

  /** @example "Ingestion service" */
  @Matches(COMMON_NAME, commonName)
  common_name!: string;

  /** DNS names in lower case. */
  @NameList(253)
  san_dns?: string[];

  /** IP addresses. */
  @NameList(45)
  san_ip?: string[];
}

export const namesOf = (dto: NamesDto): Names => ({
  serviceId: dto.service_id,
  commonName: dto.common_name,
  dns: dto.san_dns ?? [],
  ip: dto.san_ip ?? [],
});

export class CertificateRequestDto extends NamesDto {
  /** PKCS#10 in PEM form; the private key stays where it was made. Only its public key counts. */
  @IsString()
  @MaxLength(LONGEST_CSR)
  csr!: string;

  /** Instead of the header X-Enrolment-Token. */
  @Optional()
  @IsString()
  @MaxLength(100)
  enrolment_token?: string;

  /** Less where CLARA_CERT_MAX_DAYS is less. */
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 730, default: 365 })
  @Optional()
  @IsInt()
  @Min(1)
  @Max(730)
  validity_days?: number;
}

export class RenewalDto {
  @IsString()
  @MaxLength(LONGEST_CSR)
  csr!: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 730, default: 365 })
  @Optional()
  @IsInt()
  @Min(1)
  @Max(730)
  validity_days?: number;
}

export class RevocationDto {
  /** A reason of RFC 5280; snake case and capitals are understood too. */
  @ApiPropertyOptional({ enum: reasonNames, default: 'unspecified' })
  @Optional()
  @IsString()
  @MaxLength(40)
  reason?: string;
}

export class DownloadQuery {
  /** Private keys are nowhere here. */
  @ApiPropertyOptional({ enum: ['cert', 'ca', 'key'], default: 'cert' })
  @Optional()
  @IsIn(['cert', 'ca', 'key'])
  file_type?: 'cert' | 'ca' | 'key';
}

export class EnrolmentTokenDto extends NamesDto {
  /** How many certificates it is good for. */
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 100, default: 1 })
  @Optional()
  @IsInt()
  @Min(1)
  @Max(100)
  max_uses?: number;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 720, default: 24 })
  @Optional()
  @IsInt()
  @Min(1)
  @Max(720)
  expires_in_hours?: number;
}

export class ServiceDto {
  @Matches(SERVICE_ID, serviceId)
  service_id!: string;

  @IsString()
  @Length(3, 128)
  service_name!: string;

  @Optional()
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  @MaxLength(2048, { each: true })
  endpoints?: string[];

  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  @Optional()
  @IsObject()
  metadata?: Record<string, unknown>;

  @Optional()
  @IsUrl({ require_tld: false, protocols: ['http', 'https'], require_protocol: true })
  @MaxLength(2048)
  health_check_url?: string;
}

export class EndingQuery {
  /** Days to the end of the certificates that are listed. */
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 730, default: 30 })
  @Optional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(730)
  days?: number;
}
