import { Replica, type ReaderKey, type StoredDocument } from './replica.port.js';

/** Vectors of one model; those of two models are never compared. */
export interface VectorSpace {
  /** Lower-case letters, digits and `_`, at most 40: names tables and collections. */
  id: string;
  dimension: number;
}

export interface NearestQuery {
  /** Of unit length. */
  embedding: number[];
  /** 1 to 1,000. */
  limit: number;
  /** Keys of the caller; null: no limit (the application itself). */
  readers: ReaderKey[] | null;
  /** Only chunks of these documents; null: all. An empty list finds nothing. */
  documentIds: string[] | null;
}

export interface Near {
  chunkId: string;
  documentId: string;
  /** Cosine, -1 to 1. */
  similarity: number;
}

/** Nearest neighbours with filters inside the walk of the index. */
export abstract class VectorStore extends Replica {
  /** Makes the place for a space; again: nothing. @throws StoreUnavailable */
  abstract open(space: VectorSpace): Promise<void>;
  /** Removes a space with everything in it. */
  abstract drop(spaceId: string): Promise<void>;
  /** Ids of the document's chunks that have a vector at its current version. */
  abstract present(space: VectorSpace, document: StoredDocument): Promise<Set<string>>;
  /** Puts vectors (unit length) of chunks of the document; those that are there are replaced. */
  abstract put(space: VectorSpace, document: StoredDocument, vectors: ReadonlyMap<string, number[]>): Promise<void>;
  /** Removes the vectors of the document's earlier versions. */
  abstract prune(space: VectorSpace, document: StoredDocument): Promise<void>;
  abstract nearest(space: VectorSpace, query: NearestQuery): Promise<Near[]>;
  /** Documents of one space, ascending by id. */
  abstract holdingsOf(space: VectorSpace, after: string | null, limit: number): ReturnType<Replica['holdings']>;
}
