import { createHash } from 'node:crypto';
import type { Metadata, Where } from 'chromadb';
import type { Holding, ReaderKey, StoredDocument } from '../../modules/documents/replica.port.js';
import { cleaned } from '../stores/clean-text.js';

/** Chroma takes no empty list. No key looks so: all others begin with +. */
const NOBODY = '-';

/** Id of a record; it says by itself what a listing of a space wants to know. */
export const recordId = ({ documentId, version }: StoredDocument, chunkId: string): string =>
  `${documentId}/${version}/${chunkId}`;

export function partsOfId(id: string): { documentId: string; version: number; chunkId: string } {
  const [documentId = '', version = '', chunkId = ''] = id.split('/');
  return { documentId, version: Number(version), chunkId };
}

/** What stands beside the vector of every chunk of the document. */
export function recordMetadata({ documentId, version, readers }: StoredDocument): Metadata {
  const keys = keysOf(readers);
  return { document: documentId, version, readers: keys.length > 0 ? keys : [NOBODY], access: accessOf(readers) };
}

/** The same for the same readers. */
export const accessOf = (readers: readonly ReaderKey[]): string =>
  createHash('sha256')
    .update(JSON.stringify(keysOf(readers)))
    .digest('hex');

const keysOf = (readers: readonly ReaderKey[]): string[] =>
  [...new Set(cleaned(readers))].toSorted().map((key) => `+${key}`);

/** Records that a caller with these keys may read, in these documents; undefined: all. Both lists hold something. */
export function filterOf(
  readers: readonly ReaderKey[] | null,
  documentIds: readonly string[] | null,
): Where | undefined {
  const conditions: Where[] = [];
  if (readers) conditions.push(anyOf(keysOf(readers).map((key) => ({ readers: { $contains: key } }))));
  if (documentIds) conditions.push({ document: { $in: [...documentIds] } });
  return conditions.length > 0 ? allOf(conditions) : undefined;
}

/** Chroma takes no list of one condition. */
const anyOf = (conditions: Where[]): Where =>
  conditions.length === 1 && conditions[0] ? conditions[0] : { $or: conditions };
export const allOf = (conditions: Where[]): Where =>
  conditions.length === 1 && conditions[0] ? conditions[0] : { $and: conditions };

/** What a listing of ids says of documents, ascending by id. */
export function holdingsFrom(ids: Iterable<string>): Holding[] {
  const held = new Map<string, Holding>();
  for (const id of ids) {
    const { documentId, version } = partsOfId(id);
    const known = held.get(documentId) ?? { documentId, version, chunks: 0 };
    held.set(documentId, { documentId, version: Math.max(known.version, version), chunks: known.chunks + 1 });
  }
  return [...held.values()].toSorted((a, b) => (a.documentId < b.documentId ? -1 : 1));
}
