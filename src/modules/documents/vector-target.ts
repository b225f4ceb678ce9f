import { Embedder } from './embedder.port.js';
import { embeddedText } from './indexed-text.js';
import type { Holding, StoredDocument } from './replica.port.js';
import type { StoreTarget } from './store-target.js';
import type { VectorSpaces } from './vector-spaces.js';
import type { VectorStore } from './vector-store.port.js';

const TEXTS_AT_ONCE = 32;

/** The vectors of the documents, in the space of the model that is configured now. */
export class VectorTarget implements StoreTarget {
  readonly key: string;

  constructor(
    private readonly store: VectorStore,
    private readonly embedder: Embedder,
    private readonly spaces: VectorSpaces,
  ) {
    this.key = `vectors:${store.name}`;
  }

  check(): Promise<void> {
    return this.store.check();
  }

  /** Embeds what has no vector yet, in batches, so that a break costs one batch at most. */
  async apply(document: StoredDocument, signal: AbortSignal): Promise<void> {
    const space = await this.spaces.target();
    const present = await this.store.present(space, document);
    const missing = document.chunks.filter(({ chunkId }) => !present.has(chunkId));
    // Also where nothing is missing: those that are there get the readers that the document has now.
    if (missing.length === 0) await this.store.put(space, document, new Map());
    for (let from = 0; from < missing.length && !signal.aborted; from += TEXTS_AT_ONCE) {
      const batch = missing.slice(from, from + TEXTS_AT_ONCE);
      const texts = batch.map((chunk) => embeddedText(document.title, chunk));
      const vectors = await this.embedder.embed(texts, 'passage', signal);
      const byChunk = new Map(batch.map(({ chunkId }, index) => [chunkId, vectors[index] ?? []]));
      await this.store.put(space, document, byChunk);
    }
    signal.throwIfAborted();
    await this.store.prune(space, document);
  }

  remove(documentId: string): Promise<void> {
    return this.store.remove(documentId);
  }

  async holdings(after: string | null, limit: number): Promise<Holding[]> {
    const space = await this.spaces.lastTarget();
    return space ? this.store.holdingsOf(space, after, limit) : [];
  }
}
