import { ValidationPipe, type ValidationError } from '@nestjs/common';
import { AppError, type Problem } from './errors.js';

const SHOWN = 60;

function problemsOf(errors: ValidationError[], parent = ''): Problem[] {
  return errors.flatMap((error) => {
    const path = parent ? `${parent}.${error.property}` : error.property;
    const own = Object.values(error.constraints ?? {}).map((text) => ({ path, message: sentence(path, error, text) }));
    return [...own, ...problemsOf(error.children ?? [], path)];
  });
}

/** class-validator's text begins with the property's name; what was sent stands before what would be right. */
function sentence(path: string, error: ValidationError, text: string): string {
  if (text.startsWith(`${path}:`)) return text;
  const rest = text
    .replace(`${error.property} must`, 'it must')
    .replace(`each value in ${error.property}`, 'each value');
  if (error.value === undefined) return `${path}: is missing; ${rest}`;
  return `${path}: ${JSON.stringify(error.value)?.slice(0, SHOWN)} is not allowed; ${rest}`;
}

/** Checks bodies and queries by their DTO and answers every problem at once; unknown fields are dropped, as the original did. */
export const validationPipe = (): ValidationPipe =>
  new ValidationPipe({
    transform: true,
    whitelist: true,
    forbidUnknownValues: false,
    exceptionFactory: (errors) => {
      const problems = problemsOf(errors);
      return new AppError('invalid', problems.map((problem) => problem.message).join('; '), problems);
    },
  });
