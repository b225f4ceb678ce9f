/** A store that does not have the current version of a document yet, and why, as far as is known. */
export interface Pending {
  /** Such as `vectors:pgvector`. */
  store: string;
  reason: string | null;
}

/** What the stores still lack. */
export abstract class SettledDocuments {
  /** By document; those that every store has are absent. */
  abstract pending(documentIds: readonly string[]): Promise<Map<string, Pending[]>>;
  /** Calls back when a store has taken a document, or is known to be down; the returned function ends it. */
  abstract onSettled(listener: () => void): () => void;
  /** Calls back with the hashes of a document that was removed with all its versions. */
  abstract onRemoved(listener: (hashes: string[]) => void): () => void;
}
