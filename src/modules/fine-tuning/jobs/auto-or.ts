import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { ValidateBy, type ValidationArguments } from 'class-validator';
import { Optional } from '../../../kernel/optional.js';

interface Bounds {
  kind: 'whole' | 'decimal';
  min: number;
  max: number;
}

const inWords = ({ kind, min, max }: Bounds): string =>
  `"auto" or a ${kind === 'whole' ? 'whole number' : 'number'} from ${min} to ${max}`;

function fits(value: unknown, { kind, min, max }: Bounds): boolean {
  if (value === 'auto') return true;
  return typeof value === 'number' && value >= min && value <= max && (kind === 'decimal' || Number.isInteger(value));
}

/** `auto`, or a number within bounds. */
export const AutoOr = (bounds: Bounds): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({
      oneOf: [
        { type: 'string', enum: ['auto'] },
        { type: bounds.kind === 'whole' ? 'integer' : 'number', minimum: bounds.min, maximum: bounds.max },
      ],
    }),
    Optional(),
    ValidateBy({
      name: 'autoOr',
      validator: {
        validate: (value: unknown) => fits(value, bounds),
        defaultMessage: (args?: ValidationArguments) => `${args?.property ?? 'it'} must be ${inWords(bounds)}`,
      },
    }),
  );
