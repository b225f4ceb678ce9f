import { AppError } from '../../../kernel/errors.js';
import type { RouteDecision } from '../routing/decide-route.js';
import type { ResolvedModel } from './model-names.js';

/** Which model answers, and how it came to that. */
export interface ModelChoice {
  resolved: ResolvedModel;
  /** The name that was asked for. */
  asked: string;
  /** Only of `auto`. */
  route: RouteDecision | undefined;
}

export const noSuchModel = (asked: string): AppError => {
  const message = `The model "${asked.slice(0, 200)}" does not exist; GET /v1/models lists those that do`;
  return new AppError('not_found', message, [{ path: 'model', message, code: 'model_not_found' }]);
};

/** @throws AppError where a body names no model */
export function askedModel(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  const message =
    value === undefined ? 'You must name a model: "model" is missing' : 'model: must be a text that is not empty';
  throw new AppError('bad_request', message, [{ path: 'model', message }]);
}

/** Headers take no other signs than ASCII. */
export const asHeader = (text: string): string =>
  text.replaceAll(/[^\x20-\x7e]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
