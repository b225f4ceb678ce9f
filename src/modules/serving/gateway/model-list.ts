import type { CatalogSnapshot, CatalogVersion } from '../../adapters/adapter-catalog.port.js';
import type { BaseModel } from '../base-model.js';
import { AUTO } from './model-names.js';

/** As OpenAI lists a model, with vLLM's lineage: `parent` is what it stands on, `root` the base under all. */
export interface ListedModel {
  id: string;
  object: 'model';
  /** Seconds since 1970. */
  created: number;
  owned_by: 'clara';
  root: string | null;
  parent: string | null;
}

const listed = (id: string, created: Date, root: string | null, parent: string | null): ListedModel => ({
  id,
  object: 'model',
  created: Math.floor(created.getTime() / 1000),
  owned_by: 'clara',
  root,
  parent,
});

/** Base models with the default first, versions newest first, aliases by name, `auto`. */
export function modelList(
  { versions, aliases }: CatalogSnapshot,
  base: BaseModel | undefined,
  since: Date,
): ListedModel[] {
  const byId = new Map<string, CatalogVersion>(versions.map((version) => [version.id, version]));
  const named = aliases
    .toSorted((a, b) => a.alias.localeCompare(b.alias, 'en'))
    .flatMap(({ alias, versionId }) => {
      const version = byId.get(versionId);
      return version ? [listed(alias, version.createdAt, version.base, version.modelId)] : [];
    });
  return [
    ...(base ? [listed(base.slug, since, base.slug, null)] : []),
    ...versions.map(({ modelId, createdAt, base: root }) => listed(modelId, createdAt, root, root)),
    ...named,
    listed(AUTO, since, base?.slug ?? null, null),
  ];
}
