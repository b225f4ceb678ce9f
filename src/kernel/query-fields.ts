import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { Optional } from './optional.js';

const LONGEST_PAGE = 1000;

type Sent = { value: unknown };

const emptyIsMissing = ({ value }: Sent): unknown => (value === '' || value === null ? undefined : value);

/** The number that a text of a query says; what is none stays as it was sent, for the message that refuses it. */
function numberOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const number = Number(value);
  return Number.isNaN(number) ? value : number;
}

/** A whole number of a query; an empty one, as forms send it, is missing. */
export const WholeField = (min: number, max: number): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: 'integer' }),
    Transform((sent: Sent) => numberOf(emptyIsMissing(sent))),
    IsOptional(),
    IsInt(),
    Min(min),
    Max(max),
  );

/** How many entries a page has, from 1; more than 1000 is cut to that, and an empty one is `usual`. */
export const PageLimit = (usual = 100): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: 'integer', default: usual }),
    Transform((sent: Sent) => pageOf(numberOf(emptyIsMissing(sent)), usual)),
    IsOptional(),
    IsInt(),
    Min(1),
  );

const pageOf = (size: unknown, usual: number): unknown =>
  typeof size === 'number' ? Math.min(size, LONGEST_PAGE) : (size ?? usual);

/** One of some words; an empty one is missing. */
export const WordField = (words: readonly string[]): PropertyDecorator =>
  applyDecorators(ApiPropertyOptional({ enum: [...words] }), Transform(emptyIsMissing), Optional(), IsIn(words));

/** Where the page before ended, as its `next_cursor` said. */
export const CursorField = (): PropertyDecorator => applyDecorators(Optional(), IsString(), MaxLength(200));
