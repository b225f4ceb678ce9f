import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { Optional } from './optional.js';

const LONGEST_PAGE = 1000;

const emptyIsMissing = ({ value }: { value: unknown }): unknown => (value === '' || value === null ? undefined : value);
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

/** How many entries a page has, from 1; more than 1000 is cut to that, and an empty one is `usual`. */
export const PageLimit = (usual = 100): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: 'integer', default: usual }),
    Transform(({ value }: { value: unknown }) => pageOf(value, usual)),
    IsOptional(),
    IsInt(),
    Min(1),
  );

function pageOf(value: unknown, usual: number): unknown {
  if (value === undefined || value === null || value === '') return usual;
  return typeof value === 'string' || typeof value === 'number' ? Math.min(Number(value), LONGEST_PAGE) : value;
}

/** One of some words; an empty one is missing. */
export const WordField = (words: readonly string[]): PropertyDecorator =>
  applyDecorators(ApiPropertyOptional({ enum: [...words] }), Transform(emptyIsMissing), Optional(), IsIn(words));

/** Where the page before ended, as its `next_cursor` said. */
export const CursorField = (): PropertyDecorator => applyDecorators(Optional(), IsString(), MaxLength(200));
