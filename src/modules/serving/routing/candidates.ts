import type { CatalogSnapshot, CatalogVersion } from '../../adapters/adapter-catalog.port.js';
import type { Keyword } from './score-adapter.js';
import type { RouterConfig } from './router-config.js';

const familyOf = ({ name }: CatalogVersion): string => name.replace(/-v\d+$/, '');

/**
 * Of each family (`<domain>-<method>-r<rank>`) one version of this base: the newest that an alias points at, else the newest.
 * Several would split the votes of their words.
 */
export function routableVersions({ versions, aliases }: CatalogSnapshot, base: string): CatalogVersion[] {
  const live = new Set(aliases.map(({ versionId }) => versionId));
  const chosen = new Map<string, CatalogVersion>();
  for (const version of versions) {
    if (version.base !== base) continue;
    const family = familyOf(version);
    const known = chosen.get(family);
    if (!known || (!live.has(known.id) && live.has(version.id))) chosen.set(family, version);
  }
  return [...chosen.values()];
}

/** Domains weigh 1; static rules name an adapter by its name, its family, a domain or an alias. */
export function keywordsOf(version: CatalogVersion, { aliases }: CatalogSnapshot, config: RouterConfig): Keyword[] {
  const own = version.domains.map((word) => ({ word, weight: 1 }));
  if (!config.options.enableStaticRules) return own;
  const names = new Set([
    version.name,
    familyOf(version),
    ...version.domains,
    ...aliases.filter(({ versionId }) => versionId === version.id).map(({ alias }) => alias),
  ]);
  const ruled = config.staticRules.filter(({ adapter }) => names.has(adapter));
  return [...own, ...ruled.flatMap(({ words, weight }) => words.map((word) => ({ word, weight })))];
}
