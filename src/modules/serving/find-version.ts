import { AppError } from '../../kernel/errors.js';
import type { CatalogSnapshot, CatalogVersion } from '../adapters/adapter-catalog.port.js';

/** By id, name, `ft:` id or alias; `any` of them names at most one. */
export function findVersion({ versions, aliases }: CatalogSnapshot, reference: string): CatalogVersion | undefined {
  const asId = reference.toLowerCase();
  const direct = versions.find(({ id, name, modelId }) => id === asId || name === reference || modelId === reference);
  if (direct) return direct;
  const alias = aliases.find((entry) => entry.alias === reference);
  return alias && versions.find(({ id }) => id === alias.versionId);
}

export const unknownAdapter = (reference: string): AppError =>
  new AppError(
    'not_found',
    `There is no adapter "${reference.slice(0, 200)}"; GET /api/adapters lists those that are registered`,
  );
