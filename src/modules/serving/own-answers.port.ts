/** A conversation as `/v1/chat/completions` takes it, without a stream. */
export interface Conversation {
  /** As `/v1/models` lists them: base, version, alias or `auto`. */
  model: string;
  messages: readonly { role: string; content: string }[];
  temperature?: number;
  seed?: number;
  max_tokens?: number;
}

/** The answers of the application's own engines for its own parts: nothing goes through a port, and no credentials are needed. */
export abstract class OwnAnswers {
  /**
   * @returns the body of a `/v1/chat/completions`; its `model` is the version that answered
   * @throws AppError as a client would be told
   */
  abstract chat(conversation: Conversation, signal: AbortSignal): Promise<unknown>;
}
