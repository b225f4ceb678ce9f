import { EmbedderUnavailable } from '../../modules/documents/embedder.port.js';
import { OpenAiServer, ServerUnavailable, type OpenAiServerOptions } from '../openai/openai-server.js';

/** What of the OpenAI API embeds. */
export class EmbeddingServer {
  readonly #server: OpenAiServer;

  constructor(options: Omit<OpenAiServerOptions, 'name'>) {
    this.#server = new OpenAiServer({ ...options, name: 'embedding server' });
  }

  get host(): string {
    return this.#server.host;
  }

  /** @throws RequestRefused; EmbedderUnavailable when patience is at its end */
  embeddings(body: object, signal: AbortSignal): Promise<unknown> {
    return unavailableAs(this.#server.ask('/embeddings', body, signal));
  }

  /** What it says of its models, such as their longest input. */
  models(signal: AbortSignal): Promise<unknown> {
    return unavailableAs(this.#server.ask('/models', undefined, signal));
  }

  tokenize(body: object, signal: AbortSignal): Promise<unknown> {
    return unavailableAs(this.#server.askBeside('/tokenize', body, signal));
  }
}

const unavailableAs = (asked: Promise<unknown>): Promise<unknown> =>
  asked.catch((error: unknown) => {
    throw error instanceof ServerUnavailable ? new EmbedderUnavailable(error.message) : error;
  });
