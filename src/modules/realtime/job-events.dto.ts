import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, Max, Min } from 'class-validator';

export class JobEventsQuery {
  /** Number of the last event seen; what follows it is answered. */
  @ApiPropertyOptional({ type: 'integer', minimum: 0, default: 0 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  after = 0;

  /** Most events in one answer; an event stream has no end of this kind. */
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 1000, default: 100 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1000)
  limit = 100;
}

export class JobEventDto {
  /** Position among the events of the job: 1, 2, 3 … */
  @ApiProperty({ type: 'integer', minimum: 1 })
  number!: number;

  /** ISO 8601, UTC. */
  @ApiProperty({ type: 'string', format: 'date-time' })
  time!: string;

  @ApiProperty({ type: 'string', example: 'progress' })
  type!: string;

  @ApiProperty({ type: 'integer', nullable: true })
  step!: number | null;

  @ApiProperty({ type: 'object', additionalProperties: true })
  data!: Record<string, unknown>;
}

export class JobEventPage {
  /** Oldest first. */
  @ApiProperty({ type: () => [JobEventDto] })
  events!: JobEventDto[];

  /** The `after` of the next page; null where there is none yet. */
  @ApiProperty({ type: 'integer', nullable: true })
  next_after!: number | null;
}
