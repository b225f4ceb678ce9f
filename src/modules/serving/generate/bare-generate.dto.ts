import { OmitType, PartialType, PickType } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsString, Length } from 'class-validator';
import { AppError } from '../../../kernel/errors.js';
import { Optional } from '../../../kernel/optional.js';
import { asBoolean, asNumber } from '../../../kernel/query-text.js';
import { GenerateDto, RoutePromptDto } from './generate.dto.js';

/** The same fields in a body, of which the query may bring some. */
export class GenerateParameters extends PartialType(GenerateDto) {}

export class RouteParameters extends PartialType(RoutePromptDto) {}

/** The same fields in a query, which carries everything as text. */
export class GenerateQuery extends PartialType(OmitType(GenerateDto, ['prompt'])) {
  /** A longer one goes into the body: an address has an end. */
  @Optional()
  @IsString()
  @Length(1, 2000)
  prompt?: string;
}

for (const name of ['max_tokens', 'temperature', 'top_p', 'require_confidence'] as const)
  Transform(asNumber)(GenerateQuery.prototype, name);
Transform(asBoolean)(GenerateQuery.prototype, 'route');

export class RouteQuery extends PickType(GenerateQuery, ['prompt']) {}

/** What is in the second counts over what is in the first. */
const merged = <T extends object>(given: readonly [T, T]): Partial<T> =>
  Object.fromEntries(
    given.flatMap((fields) => Object.entries(fields)).filter(([, value]) => value !== undefined && value !== null),
  ) as Partial<T>;

/** @throws AppError `invalid` without a prompt */
export const generationOf = (given: readonly [GenerateParameters, GenerateParameters]): GenerateDto =>
  Object.assign(new GenerateDto(), merged(given), { prompt: promptOf(given) });

/** @throws AppError `invalid` where there is none */
export function promptOf(given: readonly [RouteParameters, RouteParameters]): string {
  const { prompt } = merged(given);
  if (typeof prompt === 'string') return prompt;
  const message = 'prompt: is missing; send it in the query or the body';
  throw new AppError('invalid', message, [{ path: 'prompt', message }]);
}
