import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsString, Length } from 'class-validator';
import { Optional } from '../../kernel/optional.js';

const MOST = 50;
const LONGEST = 200;

/** Domains or tags: at most 50 texts, each of 1 to 200 characters. */
export const WordsField = (): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({
      type: 'array',
      maxItems: MOST,
      items: { type: 'string', minLength: 1, maxLength: LONGEST },
    }),
    Optional(),
    IsArray(),
    ArrayMaxSize(MOST),
    IsString({ each: true }),
    Length(1, LONGEST, { each: true }),
  );
