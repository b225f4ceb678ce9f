import type { Clock } from '../../kernel/clock.js';
import { messageOf } from '../../kernel/errors.js';
import { digestOf } from '../../kernel/file-digest.js';
import {
  AdapterRefused,
  EngineUnavailable,
  type EngineAdapter,
  type EngineReply,
  type EngineRequest,
  type ServedModel,
} from '../../modules/serving/engine.port.js';
import { checkFolder, shippedTemplate } from './adapter-folder.js';
import { convertedIn, GgufAdapters } from './gguf/convert-adapter.js';
import type { GgufBase } from './gguf/gguf-layers.js';
import { NotConvertible } from './gguf/peft-weights.js';
import { OllamaApi } from './ollama-api.js';
import { isOurs, isSameModel, ollamaName, withoutTag } from './ollama-names.js';
import { rawCompletion } from './ollama-completion.js';
import { asCompletion } from './ollama-replies.js';
import { ollamaTemplate } from './ollama-template.js';
import { ServerEngine } from './server-engine.js';

export interface OllamaOptions {
  id: string;
  /** Without /v1 and /api. */
  url: string;
  key: string | undefined;
  /** The base's name there. */
  model: string;
  /** What adapters call it: hub id or folder, where it is known. */
  trainedOn: string | undefined;
  /** Where converted adapters are kept. */
  cache: string;
  /** Folder of the trainer package, with the shipped chat template. */
  trainer: string;
}

const FIRST_MS = 45_000;

/** An Ollama of yours: each adapter becomes a model of its own there, made of the base and the adapter as GGUF. */
export class OllamaEngine extends ServerEngine {
  readonly kind = 'ollama';
  readonly #api: OllamaApi;
  readonly #converted: GgufAdapters;

  constructor(
    private readonly options: OllamaOptions,
    around: { clock: Clock },
  ) {
    super(options, around.clock);
    this.#api = new OllamaApi(options.url, options.key);
    this.#converted = new GgufAdapters(convertedIn(options.cache));
  }

  close(): Promise<void> {
    return this.#api.close();
  }

  nameOf({ id }: { id: string }): string {
    return ollamaName(id);
  }

  protected async look(signal: AbortSignal): Promise<string> {
    const { model } = this.options;
    const models = await this.#api.models(signal);
    if (models.some((listed) => isSameModel(listed, model))) return model;
    throw new EngineUnavailable(`it has no model ${model} (CLARA_OLLAMA_MODEL); get it with: ollama pull ${model}`);
  }

  /** The base and what is ours; the other models there are nobody's business. */
  async served(signal: AbortSignal): Promise<ServedModel[]> {
    const { model, trainedOn } = this.options;
    const names = (await this.#api.models(signal)).map(withoutTag);
    const base = names
      .filter((name) => isSameModel(name, model))
      .map(() => ({ engineName: model, parent: null, root: trainedOn ?? null }));
    return [...base, ...names.filter(isOurs).map((engineName) => ({ engineName, parent: model, root: null }))];
  }

  async load({ engineName, path }: EngineAdapter, signal: AbortSignal): Promise<void> {
    await checkFolder(path);
    const { model, trainer } = this.options;
    const base = await this.#api.base(model, signal);
    const file = await this.#fileOf(path, base);
    const { sha256: digest } = await digestOf(file);
    await this.#api.give(file, digest, signal);
    const { addsBegin } = base;
    const template = await ollamaTemplate(path, { shipped: shippedTemplate(trainer), addsBegin });
    await this.#api.create({ name: engineName, base: model, digest, template }, signal);
    await this.#prove(engineName, signal);
  }

  unload(engineName: string, signal: AbortSignal): Promise<void> {
    return this.#api.remove(engineName, signal);
  }

  async send(request: EngineRequest): Promise<EngineReply> {
    const { path, body, signal } = request;
    if (path !== '/v1/completions' || body === null) return this.#api.send(request);
    const whole = Buffer.isBuffer(body) ? body : Buffer.concat((await body.toArray({ signal })) as Buffer[]);
    const asked = rawCompletion(whole);
    if (!asked) return this.#api.send({ ...request, body: whole });
    return asCompletion(asked, await this.#api.generate(asked.content, signal));
  }

  #fileOf(adapter: string, base: GgufBase): Promise<string> {
    return this.#converted.of(adapter, base).catch((error: unknown) => {
      throw error instanceof NotConvertible
        ? new AdapterRefused(`it cannot be converted for Ollama: ${error.message}`)
        : error;
    });
  }

  /** Ollama makes models that it cannot run, and says so at the first token only. */
  async #prove(model: string, signal: AbortSignal): Promise<void> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(FIRST_MS)]);
    try {
      await this.#api.prove(model, limit);
    } catch (error) {
      await this.#api.remove(model, AbortSignal.timeout(FIRST_MS)).catch(() => undefined);
      if (error instanceof EngineUnavailable) throw error;
      throw new AdapterRefused(`Ollama took the adapter and does not answer with it. ${messageOf(error)}`);
    }
  }
}
