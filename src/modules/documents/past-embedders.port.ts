import type { Embedder } from './embedder.port.js';

/** What a model was configured with; enough to open it again. */
export interface EmbedderSetting {
  model: string;
  prefixes: { query: string | undefined; passage: string | undefined };
}

/** Models of earlier settings, for questions to vectors that were made with them. */
export abstract class PastEmbedders {
  /** What is configured now. */
  abstract readonly current: EmbedderSetting;
  /** Opened at first use, and kept until the application ends. */
  abstract open(setting: EmbedderSetting): Embedder;
}
