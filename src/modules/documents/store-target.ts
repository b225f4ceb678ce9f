import type { DocumentStore } from './document-store.port.js';
import type { GraphStore } from './graph-store.port.js';
import type { Holding, Replica, StoredDocument } from './replica.port.js';

/** A store that follows the documents. */
export interface StoreTarget {
  /** Names it in the table of what waits, such as `graph:neo4j`. */
  readonly key: string;
  check(): Promise<void>;
  /** Makes the store hold exactly this version; again: the same. */
  apply(document: StoredDocument, signal: AbortSignal): Promise<void>;
  remove(documentId: string): Promise<void>;
  holdings(after: string | null, limit: number): Promise<Holding[]>;
}

/** A store that takes a document as it is. */
export class WholeTarget implements StoreTarget {
  readonly key: string;

  constructor(
    kind: 'graph' | 'documents',
    private readonly store: GraphStore | DocumentStore,
  ) {
    this.key = `${kind}:${store.name}`;
  }

  check(): Promise<void> {
    return this.store.check();
  }

  apply(document: StoredDocument): Promise<void> {
    return this.store.replace(document);
  }

  remove(documentId: string): Promise<void> {
    return this.store.remove(documentId);
  }

  holdings(...page: Parameters<Replica['holdings']>): Promise<Holding[]> {
    return this.store.holdings(...page);
  }
}
