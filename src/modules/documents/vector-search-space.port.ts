import type { Embedder } from './embedder.port.js';
import type { VectorSpace } from './vector-store.port.js';

export interface SearchedSpace {
  space: VectorSpace;
  /** The model that its vectors were made with. */
  embedder: Embedder;
}

/** Which vectors questions are compared with. */
export abstract class VectorSearchSpace {
  /** While a new model embeds everything again, the vectors of the old one. @throws EmbedderUnavailable, StoreUnavailable */
  abstract searched(): Promise<SearchedSpace>;
  /** Name of the model behind them, where one is known to work; null else. */
  abstract modelName(): Promise<string | null>;
}
