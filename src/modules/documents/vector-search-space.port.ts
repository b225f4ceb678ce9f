import type { VectorSpace } from './vector-store.port.js';

/** Which vectors questions are compared with. */
export abstract class VectorSearchSpace {
  /** @throws EmbedderUnavailable, also while the vectors of a new model are not there yet; StoreUnavailable */
  abstract searched(): Promise<VectorSpace>;
  /** Name of the model behind them, where one is known to work; null else. */
  abstract modelName(): Promise<string | null>;
}
