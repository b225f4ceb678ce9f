/** The base model that the replicas here answer with. */
export interface BaseModel {
  /** As `/v1/models` lists it and a request names it. */
  slug: string;
  /** What else a request may call it: hub id, folder, name at an engine. */
  names: readonly string[];
}

/** The last part of a hub id or a folder, lower case, of `[a-z0-9.-]`. */
export function baseSlug(idOrFolder: string): string {
  const last = idOrFolder.split(/[/\\]/).findLast((part) => part !== '') ?? '';
  return last
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '');
}
