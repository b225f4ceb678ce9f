/** Before the id of a version: what begins so at Ollama is ours, everything else is its owner's. */
const PREFIX = 'clara-';
const OURS = /^clara-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const LATEST = ':latest';

/** Ollama takes one colon, which separates the tag; ids of versions have none, `ft:…` has several. */
export const ollamaName = (versionId: string): string => PREFIX + versionId.toLowerCase();

/** A name as Ollama lists it, without the tag that it adds to a name without one. */
export const withoutTag = (listed: string): string =>
  listed.endsWith(LATEST) ? listed.slice(0, -LATEST.length) : listed;

export const isOurs = (name: string): boolean => OURS.test(name);

export const isSameModel = (one: string, other: string): boolean => withoutTag(one) === withoutTag(other);
