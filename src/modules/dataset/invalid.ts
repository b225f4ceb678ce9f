import { AppError, type Problem } from '../../kernel/errors.js';

/** A request that is wrong in these places. */
export const invalid = (problems: Problem[]): AppError =>
  new AppError('invalid', problems.map(({ path, message }) => `${path}: ${message}`).join('; '), problems);
