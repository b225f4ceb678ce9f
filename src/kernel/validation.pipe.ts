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

/** class-validator begins with the property's name; the value that was sent follows. */
function sentence(path: string, error: ValidationError, text: string): string {
  if (text.startsWith(`${path}:`)) return text;
  const rest = text.startsWith(`${error.property} `) ? text.slice(error.property.length + 1) : text;
  const value = error.value === undefined ? 'is missing' : `${JSON.stringify(error.value)?.slice(0, SHOWN)}`;
  return error.value === undefined ? `${path}: ${value} (${rest})` : `${path}: ${value} is not allowed, it ${rest}`;
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
