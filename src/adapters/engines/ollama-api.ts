import { createReadStream } from 'node:fs';
import {
  AdapterRefused,
  EngineUnavailable,
  type EngineReply,
  type EngineRequest,
} from '../../modules/serving/engine.port.js';
import { EngineHttp, type JsonAnswer } from './engine-http.js';
import type { GgufBase } from './gguf/gguf-layers.js';

/** A model that is a base with an adapter. */
export interface OllamaModel {
  name: string;
  base: string;
  /** SHA-256 of the adapter's file, in hex. */
  digest: string;
  /** In Ollama's template language; undefined: the base's. */
  template: string | undefined;
}

/** As /api/generate answers; logarithms of probabilities since 0.12.11. */
export interface Generated {
  response?: string;
  logprobs?: { token: string; logprob: number; top_logprobs?: { token: string; logprob: number }[] }[];
}

/** Ollama's own HTTP API (https://docs.ollama.com/api). */
export class OllamaApi {
  readonly #http: EngineHttp;

  constructor(url: string, key: string | undefined) {
    this.#http = new EngineHttp(url, key);
  }

  send(request: EngineRequest): Promise<EngineReply> {
    return this.#http.send(request);
  }

  /** @returns names with their tags */
  async models(signal: AbortSignal): Promise<string[]> {
    const answer = await this.#http.json('GET', '/api/tags', { signal });
    const models = (answer.body as { models?: unknown } | null)?.models;
    if (answer.status !== 200 || !Array.isArray(models))
      throw new EngineUnavailable(`Ollama does not list its models (${answer.status}): ${wordsOf(answer)}`);
    return (models as { name: string }[]).map(({ name }) => name);
  }

  /** What a model says of its layers. @throws AdapterRefused, EngineUnavailable */
  async base(model: string, signal: AbortSignal): Promise<GgufBase> {
    const answer = await this.#taken('POST', '/api/show', { model }, signal);
    const facts = (answer.body as { model_info?: Record<string, unknown> } | null)?.model_info ?? {};
    const architecture = facts['general.architecture'];
    if (typeof architecture !== 'string') throw new AdapterRefused(`Ollama does not say what ${model} is made of`);
    const heads = Number(facts[`${architecture}.attention.head_count`] ?? 1);
    return { architecture, heads, kvHeads: Number(facts[`${architecture}.attention.head_count_kv`] ?? heads) };
  }

  /** Uploads a file, unless it is there already. @throws AdapterRefused, EngineUnavailable */
  async give(path: string, digest: string, signal: AbortSignal): Promise<void> {
    const blob = `/api/blobs/sha256:${digest}`;
    const { status } = await this.#http.json('HEAD', blob, { signal });
    if (status === 200) return;
    const answer = await this.#http.upload(blob, createReadStream(path), signal);
    if (answer.status >= 300) throw refusal(answer);
  }

  /** @throws AdapterRefused, EngineUnavailable */
  async create({ name, base, digest, template }: OllamaModel, signal: AbortSignal): Promise<void> {
    const content = { model: name, from: base, adapters: { 'adapter.gguf': `sha256:${digest}` }, stream: false };
    await this.#taken('POST', '/api/create', template === undefined ? content : { ...content, template }, signal);
  }

  /** Tokens after a text as it stands. @throws AdapterRefused, EngineUnavailable */
  async generate(content: { model: string; prompt: string; tokens: number; likeliest: number }, signal: AbortSignal) {
    const { model, prompt, tokens, likeliest } = content;
    const options = { num_predict: tokens, temperature: 0 };
    const asked = {
      model,
      prompt,
      raw: true,
      stream: false,
      logprobs: likeliest > 0,
      top_logprobs: likeliest,
      options,
    };
    return (await this.#taken('POST', '/api/generate', asked, signal)).body as Generated;
  }

  /** What is not there need not go. @throws AdapterRefused, EngineUnavailable */
  async remove(model: string, signal: AbortSignal): Promise<void> {
    const answer = await this.#http.json('DELETE', '/api/delete', { content: { model }, signal });
    if (answer.status >= 300 && answer.status !== 404) throw refusal(answer);
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  async #taken(method: 'POST', path: string, content: object, signal: AbortSignal): Promise<JsonAnswer> {
    const answer = await this.#http.json(method, path, { content, signal });
    // It tells errors of a work that has begun with status 200.
    if (answer.status >= 300 || errorIn(answer) !== undefined) throw refusal(answer);
    return answer;
  }
}

const SHOWN = 500;

const errorIn = ({ body }: JsonAnswer): unknown => (body as { error?: unknown } | null)?.error;

function wordsOf(answer: JsonAnswer): string {
  const words = errorIn(answer) ?? answer.body;
  return (typeof words === 'string' ? words : JSON.stringify(words)).slice(0, SHOWN);
}

function refusal(answer: JsonAnswer): Error {
  if (answer.status === 401 || answer.status === 403)
    return new EngineUnavailable('Ollama does not take the key of CLARA_SERVING_API_KEY');
  return new AdapterRefused(`Ollama answers ${answer.status}: ${wordsOf(answer)}`);
}
