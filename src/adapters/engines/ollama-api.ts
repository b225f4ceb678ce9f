import { createReadStream } from 'node:fs';
import {
  AdapterRefused,
  EngineUnavailable,
  type EngineReply,
  type EngineRequest,
} from '../../modules/serving/engine.port.js';
import { EngineHttp, type JsonAnswer } from './engine-http.js';
import type { GgufBase } from './gguf/gguf-layers.js';

export interface OllamaBase extends GgufBase {
  /** Whether the mark of the beginning is put before every prompt. */
  addsBegin: boolean;
}

/** A model that is a base with an adapter. */
export interface OllamaModel {
  name: string;
  base: string;
  /** SHA-256 of the adapter's file, in hex. */
  digest: string;
  /** In Ollama's template language; undefined: the base's. */
  template: string | undefined;
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

  /** @param content of /api/generate @throws EngineUnavailable; the signal's reason */
  generate(content: object, signal: AbortSignal): Promise<EngineReply> {
    const headers = { 'content-type': 'application/json' };
    const body = Buffer.from(JSON.stringify(content));
    return this.#http.send({ method: 'POST', path: '/api/generate', headers, body, signal });
  }

  /** @returns names with their tags */
  async models(signal: AbortSignal): Promise<string[]> {
    const answer = await this.#http.json('GET', '/api/tags', { signal });
    if (isRefusedKey(answer)) throw refusal(answer);
    const models = (answer.body as { models?: unknown } | null)?.models;
    if (answer.status !== 200 || !Array.isArray(models))
      throw new EngineUnavailable(`Ollama does not list its models (${answer.status}): ${wordsOf(answer)}`);
    return (models as { name: string }[]).map(({ name }) => name);
  }

  /** What a model says of its layers and tokens. @throws AdapterRefused, EngineUnavailable */
  async base(model: string, signal: AbortSignal): Promise<OllamaBase> {
    const answer = await this.#taken('POST', '/api/show', { model }, signal);
    const facts = (answer.body as { model_info?: Record<string, unknown> } | null)?.model_info ?? {};
    const architecture = facts['general.architecture'];
    if (typeof architecture !== 'string') throw new AdapterRefused(`Ollama does not say what ${model} is made of`);
    const heads = Number(facts[`${architecture}.attention.head_count`] ?? 1);
    const kvHeads = Number(facts[`${architecture}.attention.head_count_kv`] ?? heads);
    // Where nothing is said, llama.cpp adds it for SentencePiece's tokenizers.
    const addsBegin = facts['tokenizer.ggml.add_bos_token'] ?? facts['tokenizer.ggml.model'] === 'llama';
    return { architecture, heads, kvHeads, addsBegin: addsBegin === true };
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
    const adapters = { 'adapter.gguf': `sha256:${digest}` };
    // As OpenAI and the other engines: among all tokens, and no rather those that were not there yet.
    const parameters = { repeat_penalty: 1, top_k: 0 };
    const content = { model: name, from: base, adapters, parameters, stream: false };
    await this.#taken('POST', '/api/create', template === undefined ? content : { ...content, template }, signal);
  }

  /** Whether it can generate a token at all. @throws AdapterRefused, EngineUnavailable */
  async prove(model: string, signal: AbortSignal): Promise<void> {
    const options = { num_predict: 1, temperature: 0 };
    await this.#taken('POST', '/api/generate', { model, prompt: 'a', raw: true, stream: false, options }, signal);
  }

  /** Out of its memory too, where it would stay for minutes. What is not there need not go. @throws AdapterRefused, EngineUnavailable */
  async remove(model: string, signal: AbortSignal): Promise<void> {
    await this.#http.json('POST', '/api/generate', { content: { model, keep_alive: 0, stream: false }, signal });
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

const isRefusedKey = ({ status }: JsonAnswer): boolean => status === 401 || status === 403;

function refusal(answer: JsonAnswer): Error {
  if (isRefusedKey(answer)) return new EngineUnavailable('Ollama does not take the key of CLARA_SERVING_API_KEY');
  return new AdapterRefused(`Ollama answers ${answer.status}: ${wordsOf(answer)}`);
}
