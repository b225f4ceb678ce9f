import type { Caller } from '../security/principal.port.js';

export const signals = ['keyword', 'vector', 'graph', 'relational'] as const;
export type Signal = (typeof signals)[number];

export interface SearchFilters {
  documentIds?: string[];
  /** Document kinds (pdf, md, ...), languages (de, ...), tags: any of each list. */
  kinds?: string[];
  languages?: string[];
  tags?: string[];
  /** Laws by abbreviation, such as VwVfG. */
  laws?: string[];
  filename?: string;
  createdFrom?: string;
  createdTo?: string;
  /** Metadata of the document, all must match. */
  metadata?: Record<string, string>;
}

export interface SearchRequest {
  queryText: string;
  /** 1 to 1,000. */
  topK: number;
  filters: SearchFilters;
  signals: Signal[];
  /** By signal; absent: those fitted for the embedder. */
  weights?: Partial<Record<Signal, number>>;
  fusion: 'weighted' | 'rrf';
}

/** Why a hit is there. */
export interface Explanation {
  signals: Partial<Record<Signal, { rank: number; score: number }>>;
  /** Words and parts of words of the question that were found in the chunk. */
  matched: string[];
  /** Steps in the graph that led here. */
  graphPath: { edge: string; through: string }[];
  /** The chunk is a provision that the question names. */
  exactProvision: boolean;
}

export interface SearchHit {
  documentId: string;
  version: number;
  chunkId: string;
  /** The chunk's own text. */
  content: string;
  filename: string;
  title: string;
  path: string[];
  page: number | null;
  provision: string | null;
  language: string;
  metadata: Readonly<Record<string, string>>;
  /** 0 to 1, best first. */
  score: number;
  /** The signal that contributed most. */
  source: Signal;
  relatedDocuments: string[];
  explain: Explanation;
}

export interface SearchOutcome {
  hits: SearchHit[];
  /** `unavailable` with its reason; the other signals have answered. */
  signals: Partial<Record<Signal, { state: 'ok' } | { state: 'unavailable'; reason: string }>>;
  tookMs: number;
}

/** Finds chunks of documents that the caller may read. */
export abstract class DocumentSearch {
  abstract search(request: SearchRequest, caller: Caller): Promise<SearchOutcome>;
}
