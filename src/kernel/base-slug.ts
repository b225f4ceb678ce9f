/** A base model in ids and lists: the last part of its hub id or folder, in lower case, out of `[a-z0-9.-]`. */
export function baseSlug(model: string): string {
  const last = model.split(/[\\/]/).findLast((part) => part !== '') ?? model;
  return (
    last
      .toLowerCase()
      .replace(/[^a-z0-9.-]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'base'
  );
}

/** What the base model that is made on the spot is called. */
export const MADE_BASE = 'clara-base';
