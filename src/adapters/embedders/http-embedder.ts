import { Embedder, EmbedderUnavailable, type EmbeddingModel } from '../../modules/documents/embedder.port.js';
import type { Clock } from '../../kernel/clock.js';
import { interruptible } from '../../kernel/interruptible.js';
import { RequestRefused } from '../openai/openai-server.js';
import { EmbeddingServer } from './embedding-server.js';
import { Rest } from './rest.js';
import { longestInputOf } from './server-answers.js';
import { ServerTokenizer } from './server-tokenizer.js';
import { estimateTokens, type TextWindow, windowsOf } from './text-windows.js';
import { checkDimension, weightedMean } from './vectors.js';
import { WindowVectors } from './window-vectors.js';

export interface HttpEmbedderOptions {
  /** Up to /v1. */
  url: string;
  apiKey: string | undefined;
  model: string;
  prefixes: { query: string | undefined; passage: string | undefined };
  /** Numbers a vector must have; undefined: any. */
  dimension: number | undefined;
  /** undefined: what the server says, else 512. */
  maxTokens: number | undefined;
  /** Of one try; 60,000. */
  timeoutMs?: number;
  /** Of all tries of a request; 180,000. */
  deadlineMs?: number;
}

const TIMEOUT_MS = 60_000;
const DEADLINE_MS = 180_000;
const REST_MS = 5000;
const DEFAULT_MAX_TOKENS = 512;
/** Start and end of a text. */
const SPECIAL_TOKENS = 2;
const SMALLEST_ROOM = 24;
/** Beyond so many windows an estimate is not that wrong, and counting is not worth a request. */
const DOUBTFUL_WINDOWS = 3;
/** Refusals that every request would get. */
const ADVICE: Readonly<Record<number, string>> = {
  401: '; is CLARA_EMBEDDING_API_KEY right?',
  403: '; is CLARA_EMBEDDING_API_KEY right?',
  404: '; are CLARA_EMBEDDING_URL and CLARA_EMBEDDING_MODEL right?',
};
const PROBE: TextWindow = { text: 'Probe', tokens: 1 };

/** Embeds at any server with `/v1/embeddings` (OpenAI, vLLM, llama.cpp, Ollama, text-embeddings-inference). */
export class HttpEmbedder extends Embedder {
  readonly #server: EmbeddingServer;
  readonly #vectors: WindowVectors;
  readonly #tokenizer: ServerTokenizer;
  readonly #rest: Rest;
  readonly #closing = new AbortController();
  #model: Promise<EmbeddingModel> | undefined;

  constructor(
    private readonly options: HttpEmbedderOptions,
    clock: Clock,
  ) {
    super();
    const { url, apiKey, model, timeoutMs = TIMEOUT_MS, deadlineMs = DEADLINE_MS } = options;
    this.#server = new EmbeddingServer({ url, apiKey, timeoutMs, deadlineMs, clock });
    this.#vectors = new WindowVectors(this.#server, model);
    this.#tokenizer = new ServerTokenizer(this.#server, model);
    this.#rest = new Rest(clock);
  }

  model(): Promise<EmbeddingModel> {
    return this.#guarded((closing) => this.#known(closing));
  }

  countTokens(texts: string[]): Promise<number[]> {
    return this.#guarded((closing) => this.#tokenizer.count(texts, closing));
  }

  embed(texts: string[], as: 'query' | 'passage', signal?: AbortSignal): Promise<number[][]> {
    const prefix = this.options.prefixes[as] ?? '';
    return this.#guarded(async (closing) => {
      const either = signal ? AbortSignal.any([signal, closing]) : closing;
      const { maxTokens, dimension } = await interruptible(this.#known(closing), either);
      const room = Math.max(SMALLEST_ROOM, maxTokens - SPECIAL_TOKENS - estimateTokens(prefix));
      const windows: TextWindow[][] = [];
      for (const text of texts) windows.push(await this.#windowsOf(text, room, either));
      const vectors = await this.#vectors.of(windows.flat(), prefix, either);
      for (const vector of vectors) checkDimension(vector.length, dimension);
      return joined(windows, vectors);
    });
  }

  close(): Promise<void> {
    this.#closing.abort(new EmbedderUnavailable('the embedder is closed'));
    return Promise.resolve();
  }

  async #guarded<T>(work: (closing: AbortSignal) => Promise<T>): Promise<T> {
    const closing = this.#closing.signal;
    closing.throwIfAborted();
    this.#rest.throwIfResting();
    try {
      return await work(closing);
    } catch (error) {
      const known = error instanceof RequestRefused ? this.#refusal(error) : error;
      // One text that is not wanted says nothing of the others.
      const isForAll =
        error instanceof EmbedderUnavailable || (error instanceof RequestRefused && error.status in ADVICE);
      if (isForAll && known instanceof EmbedderUnavailable) this.#rest.begin(REST_MS, known.message);
      throw known;
    }
  }

  #refusal({ status, detail }: RequestRefused): EmbedderUnavailable {
    return new EmbedderUnavailable(
      `the embedding server ${this.#server.host} answers ${status}: ${detail}${ADVICE[status] ?? ''}`,
    );
  }

  /** Asked once; a failure is asked again. */
  async #known(closing: AbortSignal): Promise<EmbeddingModel> {
    this.#model ??= this.#look(closing);
    const looking = this.#model;
    try {
      return await looking;
    } catch (error) {
      if (this.#model === looking) this.#model = undefined;
      throw error;
    }
  }

  /** One embedding tells whether it works, and how many numbers a vector has. */
  async #look(closing: AbortSignal): Promise<EmbeddingModel> {
    const { model: name, dimension, maxTokens } = this.options;
    const [vector = []] = await this.#vectors.of([PROBE], '', closing);
    checkDimension(vector.length, dimension);
    const longest = maxTokens ?? (await this.#longestInput(closing)) ?? DEFAULT_MAX_TOKENS;
    return { name, dimension: vector.length, maxTokens: longest };
  }

  async #longestInput(closing: AbortSignal): Promise<number | undefined> {
    const models = await this.#server.models(closing).catch((error: unknown) => {
      if (error instanceof RequestRefused) return undefined;
      throw error;
    });
    return longestInputOf(models, this.options.model);
  }

  /** The estimate errs on the safe side; where the server can count, a text that fits stays in one piece. */
  async #windowsOf(text: string, room: number, signal: AbortSignal): Promise<TextWindow[]> {
    const windows = windowsOf(text, room);
    if (windows.length === 1 || windows.length > DOUBTFUL_WINDOWS) return windows;
    const tokens = await this.#tokenizer.countExactly(text, signal);
    return tokens !== undefined && tokens <= room ? [{ text, tokens }] : windows;
  }
}

/** One vector a text, out of those of its windows. */
function joined(windows: readonly TextWindow[][], vectors: readonly number[][]): number[][] {
  let at = 0;
  return windows.map((own) => weightedMean(own.map(({ tokens }) => ({ vector: vectors[at++] ?? [], weight: tokens }))));
}
