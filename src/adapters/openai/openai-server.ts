import type { Clock } from '../../kernel/clock.js';
import { SecretMask } from '../../kernel/secret-mask.js';
import { patiently, type Try } from './patience.js';
import { isPassing } from './retry-pause.js';

export interface OpenAiServerOptions {
  /** As messages name it, such as `embedding server`. */
  name: string;
  /** Up to /v1. */
  url: string;
  apiKey: string | undefined;
  /** Of one try. */
  timeoutMs: number;
  /** Of all tries of a request, the waits between them included. */
  deadlineMs: number;
  clock: Clock;
}

/** The server cannot be reached, or not now. */
export class ServerUnavailable extends Error {}

/** The server answered, and does not want this request. */
export class RequestRefused extends Error {
  constructor(
    readonly status: number,
    /** What the server says, without secrets. */
    readonly detail: string,
  ) {
    super(`${status}: ${detail}`);
  }
}

interface Ends {
  signal: AbortSignal;
  late: AbortSignal;
}

const LARGEST_ANSWER = 256 * 1024 * 1024;
const SHOWN = 300;

/** Requests to a server with the OpenAI API, over HTTP, with the key and with patience. */
export class OpenAiServer {
  readonly #mask: SecretMask;
  readonly #base: string;

  constructor(private readonly options: OpenAiServerOptions) {
    this.#mask = new SecretMask(options.apiKey === undefined ? [] : [options.apiKey]);
    const url = options.url.replace(/\/(?:embeddings|chat\/completions)$/, '');
    this.#base = /\/v\d+$/.test(url) ? url : `${url}/v1`;
  }

  /** As messages name it, with its address. */
  get name(): string {
    return `${this.options.name} ${this.host}`;
  }

  get host(): string {
    return new URL(this.#base).host;
  }

  /**
   * @param path such as `/embeddings`
   * @param body undefined: a GET
   * @throws RequestRefused; ServerUnavailable when patience is at its end
   */
  ask(path: string, body: object | undefined, signal: AbortSignal): Promise<unknown> {
    return this.#ask(`${this.#base}${path}`, body, signal);
  }

  /** Beside the API, as vLLM, llama.cpp and text-embeddings-inference have /tokenize. */
  askBeside(path: string, body: object, signal: AbortSignal): Promise<unknown> {
    return this.#ask(`${this.#base.replace(/\/v\d+$/, '')}${path}`, body, signal);
  }

  async #ask(url: string, body: object | undefined, signal: AbortSignal): Promise<unknown> {
    const result = await patiently((late) => this.#try(url, body, { signal, late }), this.options, signal);
    if ('answer' in result) return result.answer;
    throw new ServerUnavailable(this.#mask.text(`the ${this.name} ${result.failure}`));
  }

  async #try(url: string, body: object | undefined, { signal, late }: Ends): Promise<Try<unknown>> {
    try {
      const response = await fetch(url, { ...this.#requestOf(body), signal: AbortSignal.any([signal, late]) });
      if (isPassing(response.status)) {
        const failure = `answers ${response.status}: ${await this.#detailOf(response)}`;
        return { failure, retryAfter: response.headers.get('retry-after') };
      }
      if (!response.ok) throw new RequestRefused(response.status, await this.#detailOf(response));
      return { answer: JSON.parse(await limitedText(response)) as unknown };
    } catch (error) {
      if (error instanceof RequestRefused) throw error;
      if (error instanceof SyntaxError) throw new RequestRefused(200, 'the answer is not JSON');
      return {
        failure: late.aborted ? 'does not answer in time' : `cannot be reached: ${causeOf(error)}`,
        retryAfter: null,
      };
    }
  }

  #requestOf(body: object | undefined): RequestInit {
    const { apiKey } = this.options;
    const headers = {
      accept: 'application/json',
      ...(body ? { 'content-type': 'application/json' } : {}),
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    };
    // A redirect could lead the key and the texts to somebody else.
    const common = { headers, redirect: 'error' } as const;
    return body ? { ...common, method: 'POST', body: JSON.stringify(body) } : common;
  }

  async #detailOf(response: Response): Promise<string> {
    const text = (await limitedText(response)).replace(/\s+/g, ' ');
    return this.#mask.text(text).slice(0, SHOWN).trim() || response.statusText;
  }
}

function causeOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message?: string };
  return cause?.code ?? cause?.message ?? message ?? String(error);
}

async function limitedText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > LARGEST_ANSWER) throw new Error(`its answer is larger than ${LARGEST_ANSWER} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
