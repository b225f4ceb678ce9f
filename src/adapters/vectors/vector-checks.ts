import type { StoredDocument } from '../../modules/documents/replica.port.js';
import type { NearestQuery, VectorSpace } from '../../modules/documents/vector-store.port.js';

const MOST_NUMBERS = 16_000;
const MOST_NEIGHBOURS = 1000;

/** @throws RangeError for a space that cannot name a table, or whose vectors nothing stores */
export function checkSpaceId(id: string): void {
  if (!/^[a-z0-9_]{1,40}$/.test(id))
    throw new RangeError(`"${id}" names no space of vectors: lower-case letters, digits and _, at most 40`);
}

/** @throws RangeError as above */
export function checkSpace({ id, dimension }: VectorSpace): void {
  checkSpaceId(id);
  if (!Number.isInteger(dimension) || dimension < 1 || dimension > MOST_NUMBERS)
    throw new RangeError(`vectors of ${dimension} numbers cannot be stored; 1 to ${MOST_NUMBERS} can`);
}

/** @throws RangeError for another length than the space's, or for numbers that have no direction */
export function checkVector(space: VectorSpace, vector: readonly number[], what: string): void {
  if (vector.length !== space.dimension)
    throw new RangeError(
      `${what} has ${vector.length} numbers; the space ${space.id} holds vectors of ${space.dimension}`,
    );
  if (!vector.every(Number.isFinite) || !vector.some((number) => number !== 0))
    throw new RangeError(`${what} has no direction: all numbers must be finite, and one other than 0`);
}

export function checkQuery(space: VectorSpace, { embedding, limit }: NearestQuery): void {
  checkSpace(space);
  checkVector(space, embedding, 'the vector of the query');
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_NEIGHBOURS)
    throw new RangeError(`${limit} neighbours cannot be asked for; 1 to ${MOST_NEIGHBOURS} can`);
}

/** @throws RangeError for a vector that fits not, or that is of no chunk of the document */
export function checkPut(space: VectorSpace, document: StoredDocument, vectors: ReadonlyMap<string, number[]>): void {
  checkSpace(space);
  const own = new Set(document.chunks.map(({ chunkId }) => chunkId));
  for (const [chunkId, vector] of vectors) {
    if (!own.has(chunkId)) throw new RangeError(`chunk ${chunkId} is none of document ${document.documentId}`);
    checkVector(space, vector, `the vector of chunk ${chunkId}`);
  }
}
