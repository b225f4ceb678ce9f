import type { CatalogAlias, CatalogSnapshot, CatalogVersion } from '../../adapters/adapter-catalog.port.js';
import type { BaseModel } from '../base-model.js';
import type { Target } from '../targets.js';

/** Lets CLARA choose among base and adapters by what is asked. */
export const AUTO = 'auto';

/** What a request's `model` meant at the moment it was admitted. */
export interface ResolvedModel {
  target: Target;
  /** `model` of the reply: the version's `ft:` id, or the slug of the base. */
  model: string;
}

/** How an alias with splits chooses; the same key always the same version. */
export interface Draw {
  key: string | undefined;
  /** From 0 to 1, without 1. */
  random: () => number;
}

interface Names {
  versions: ReadonlyMap<string, CatalogVersion>;
  aliases: ReadonlyMap<string, CatalogAlias>;
}

const known = new WeakMap<CatalogSnapshot, Names>();

/** Made once for each reading of the registry. */
function namesOf(registry: CatalogSnapshot): Names {
  const made = known.get(registry) ?? {
    versions: new Map(
      registry.versions.flatMap((version) =>
        [version.name, version.id, version.modelId].map((name) => [name, version] as const),
      ),
    ),
    aliases: new Map(registry.aliases.map((alias) => [alias.alias, alias])),
  };
  known.set(registry, made);
  return made;
}

export const asVersion = (version: CatalogVersion): ResolvedModel => ({
  target: { kind: 'version', version },
  model: version.modelId,
});

export const asBase = (base: BaseModel): ResolvedModel => ({ target: { kind: 'base' }, model: base.slug });

/** What a name means now: a version, an alias, the base; undefined: nothing here. */
export function resolveModel(
  name: string,
  registry: CatalogSnapshot,
  base: BaseModel | undefined,
  draw: Draw,
): ResolvedModel | undefined {
  const { versions, aliases } = namesOf(registry);
  const version = versions.get(name);
  if (version) return asVersion(version);
  const alias = aliases.get(name);
  const chosen = alias && versions.get(chosenVersion(alias, draw));
  if (chosen) return asVersion(chosen);
  return base && (name === base.slug || base.names.includes(name)) ? asBase(base) : undefined;
}

/** Whether what an alias means hangs on who asks. */
export const isSplit = (name: string, registry: CatalogSnapshot): boolean =>
  (namesOf(registry).aliases.get(name)?.splits.length ?? 0) > 0;

function chosenVersion({ alias, versionId, splits }: CatalogAlias, { key, random }: Draw): string {
  if (splits.length === 0) return versionId;
  let place = key === undefined ? random() : placeOf(`${alias}\n${key}`);
  for (const split of splits) {
    if (place < split.weight) return split.versionId;
    place -= split.weight;
  }
  return versionId;
}

/** From 0 to 1, evenly over all keys: FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/, with the finish of MurmurHash3. */
export function placeOf(key: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
