import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { IsIn, IsInt, Max, Min } from 'class-validator';
import { Optional } from '../../kernel/optional.js';

const LONGEST_PAGE = 1000;

const emptyIsMissing = ({ value }: { value: unknown }): unknown => (value === '' || value === null ? undefined : value);
const capped = ({ value }: { value: unknown }): unknown =>
  typeof value === 'number' ? Math.min(value, LONGEST_PAGE) : value;

/** A whole number of a query; an empty one, as forms send it, is missing. */
export const WholeField = (min: number, max: number): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: 'integer' }),
    Type(() => Number),
    Transform(({ obj, key, value }: { obj: Record<string, unknown>; key: string; value: unknown }) =>
      obj[key] === '' || obj[key] === null ? undefined : value,
    ),
    Optional(),
    IsInt(),
    Min(min),
    Max(max),
  );

/** How many entries a page has, from 1; more than 1000 is cut to that. */
export const PageLimit = (): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: 'integer', default: 100 }),
    Type(() => Number),
    Transform(capped),
    Optional(),
    IsInt(),
    Min(1),
  );

/** One of some words; an empty one is missing. */
export const WordField = (words: readonly string[]): PropertyDecorator =>
  applyDecorators(ApiPropertyOptional({ enum: [...words] }), Transform(emptyIsMissing), Optional(), IsIn(words));

export const VersionField = (): PropertyDecorator => WholeField(1, 1_000_000);
