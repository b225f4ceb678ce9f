import { Replica, type ReaderKey, type StoredDocument } from './replica.port.js';

/** How a neighbour was reached, one step an entry. */
export interface GraphStep {
  /** `refers_to`, `referred_by`: by reference; `same_section`; `shares_tag`, `shares_term`. */
  edge: 'refers_to' | 'referred_by' | 'same_section' | 'shares_tag' | 'shares_term';
  /** The provision, section, tag or term that joins the two. */
  through: string;
}

export interface NeighbourQuery {
  chunkIds: string[];
  /** Provisions that the question names; chunks of and references to them are neighbours too. */
  provisions: string[];
  /** 1 to 3. */
  depth: number;
  /** 1 to 1,000. */
  limit: number;
  /** Keys of the caller; null: no limit. No path leads through what the caller may not read. */
  readers: ReaderKey[] | null;
  documentIds: string[] | null;
}

export interface Neighbour {
  chunkId: string;
  documentId: string;
  /** From the nearest given chunk; empty for chunks of a named provision itself. */
  path: GraphStep[];
  /** 0 to 1: near and by reference is high, far or by a common term is low. */
  score: number;
}

/** Nodes: document, chunk, provision, section, tag, term. Edges: references, membership. */
export abstract class GraphStore extends Replica {
  /** Makes the graph hold exactly this version of the document, in one transaction. */
  abstract replace(document: StoredDocument): Promise<void>;
  /** Best first; the given chunks are not among them. */
  abstract neighbours(query: NeighbourQuery): Promise<Neighbour[]>;
}
