/** What turns texts into vectors. */
export interface EmbeddingModel {
  /** Hub id, folder name or name at the endpoint, such as `multilingual-e5-small`. */
  name: string;
  dimension: number;
  /** Longest input in the model's own tokens, prefix and special tokens included. */
  maxTokens: number;
}

/** No model, no worker, no endpoint; what needs it waits. */
export class EmbedderUnavailable extends Error {}

export abstract class Embedder {
  /** The model, once it is known to work; found missing in under 2 s. @throws EmbedderUnavailable with the reason */
  abstract model(): Promise<EmbeddingModel>;
  /** Tokens of each text by the model's tokenizer, without special tokens. @throws EmbedderUnavailable */
  abstract countTokens(texts: string[]): Promise<number[]>;
  /**
   * Vectors of unit length, in order. A text longer than the model takes is embedded in windows and averaged, never cut.
   * @throws EmbedderUnavailable
   */
  abstract embed(texts: string[], as: 'query' | 'passage', signal?: AbortSignal): Promise<number[][]>;
  abstract close(): Promise<void>;
}
