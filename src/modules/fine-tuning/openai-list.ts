import { applyDecorators } from '@nestjs/common';
import { ApiConflictResponse } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import { Optional } from '../../kernel/optional.js';

/** A page as OpenAI's API has it. */
export interface OpenAiList<T> {
  object: 'list';
  data: T[];
  has_more: boolean;
  first_id: string | null;
  last_id: string | null;
}

/** @param found one more than `limit` where there are more */
export function openAiList<T extends { id: string }>(found: readonly T[], limit: number): OpenAiList<T> {
  const data = found.slice(0, limit);
  return {
    object: 'list',
    data,
    has_more: found.length > limit,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  };
}

/** The id that the page before ended with. */
export const AfterField = (): PropertyDecorator => applyDecorators(Optional(), IsString(), MaxLength(100));

/** Says when a route below /v1 answers 409. */
export const Conflicts = (description: string): MethodDecorator =>
  ApiConflictResponse({ description, schema: { $ref: '#/components/schemas/OpenAiProblem' } });
