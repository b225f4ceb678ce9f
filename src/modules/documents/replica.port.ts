import type { DocumentKind } from './document-parser.port.js';

/**
 * Who may read: `*` (everybody who may search), `role:trainer`, `group:bauamt`, `owner:<subject>`. A caller holds such
 * keys too; one in common is enough.
 */
export type ReaderKey = string;

/** One chunk of the current version of a document, as every store gets it. */
export interface StoredChunk {
  chunkId: string;
  /** Place in the document, from 0. */
  ordinal: number;
  content: string;
  /** Headings above it, outermost first, such as ["Teil III", "§ 35 Begriff des Verwaltungsaktes"]. */
  path: string[];
  /** Canonical key of the provision that it stands in, such as `vwvfg:35`; null outside of laws. */
  provision: string | null;
  page: number | null;
  /** Least confidence (0 to 100) of its text that was recognised in pictures; null or unset: none was. */
  ocrConfidence?: number | null;
  /** Provisions it refers to, as canonical keys. */
  references: string[];
}

/** The current version of a document with all of its chunks: what a store must hold of it, and nothing else. */
export interface StoredDocument {
  documentId: string;
  version: number;
  owner: string;
  readers: ReaderKey[];
  filename: string;
  title: string;
  kind: DocumentKind;
  /** ISO 639-1, or `und`. */
  language: string;
  sha256: string;
  tags: string[];
  /** Named terms of the text (defined terms, organisations), at most 50. */
  terms: string[];
  metadata: Readonly<Record<string, string>>;
  /** ISO 8601. */
  createdAt: string;
  chunks: StoredChunk[];
}

/** What a store says it holds, for reconciling. */
export interface Holding {
  documentId: string;
  version: number;
  chunks: number;
}

/** The store cannot be reached or refuses; what waits for it is tried again. */
export class StoreUnavailable extends Error {
  constructor(
    readonly store: string,
    reason: string,
  ) {
    super(`${store} is unavailable: ${reason}`);
  }
}

/** A store that holds a copy of the documents' current versions. Every call ends within `timeoutMs` of the adapter. */
export abstract class Replica {
  /** Name for logs, metrics and `pending`, such as `pgvector` or `neo4j`. */
  abstract readonly name: string;
  /** @throws StoreUnavailable */
  abstract check(): Promise<void>;
  /** Removes the document and all that came from it. Unknown: done already. @throws StoreUnavailable */
  abstract remove(documentId: string): Promise<void>;
  /** All documents it holds, ascending by id after `after`, at most `limit`. @throws StoreUnavailable */
  abstract holdings(after: string | null, limit: number): Promise<Holding[]>;
  abstract close(): Promise<void>;
}
