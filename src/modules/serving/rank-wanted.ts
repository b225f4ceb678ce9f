import type { CatalogAlias, CatalogVersion } from '../adapters/adapter-catalog.port.js';

export interface RankedRow {
  wanted: boolean;
  pinned: boolean;
  /** Milliseconds since 1970. */
  lastUsed: number;
}

/** The versions that aliases mean, with a share too. */
export const meantBy = (aliases: readonly CatalogAlias[]): string[] =>
  aliases.flatMap((alias) => [alias.versionId, ...alias.splits.map((split) => split.versionId)]);

/** What a replica should hold, of `versions`: pinned ones, then those that are meant, then the last used. */
export function rankWanted(
  versions: readonly CatalogVersion[],
  meant: ReadonlySet<string>,
  rows: ReadonlyMap<string, RankedRow>,
): CatalogVersion[] {
  const rank = ({ id }: CatalogVersion): number => (rows.get(id)?.pinned ? 2 : meant.has(id) ? 1 : 0);
  const lastUsed = ({ id }: CatalogVersion): number => rows.get(id)?.lastUsed ?? 0;
  return versions
    .filter(({ id }) => rows.get(id)?.wanted ?? meant.has(id))
    .toSorted((one, other) => rank(other) - rank(one) || lastUsed(other) - lastUsed(one));
}
