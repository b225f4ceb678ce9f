import { readFile } from 'node:fs/promises';
import { messageOf } from '../../../kernel/errors.js';
import { templateBeside } from '../adapter-folder.js';
import { GgufAdapters } from '../gguf/convert-adapter.js';
import type { GgufBase } from '../gguf/gguf-layers.js';
import { answer, type AnswerEnd, type Piece } from './answer.js';
import type { AskedAnswer } from './asked-answer.js';
import { BadRequest } from './bad-request.js';
import { chatTemplate, templateIn, type ChatTemplate } from './chat-prompt.js';
import { ContextPool } from './context-pool.js';
import type { LlamaModel, TemplateEngine, Token } from './llama-library.js';

export interface ModelOptions {
  /** What the base is called. */
  name: string;
  /** Its file. */
  gguf: string;
  /** Folder of the converted adapters. */
  adapters: string;
  /** The chat template of a base that has none. */
  template: string;
  maxLoras: number;
  rows: number;
  contextSize: number;
  threads: number;
}

interface Served {
  /** The GGUF adapter; null: the base. */
  file: string | null;
  /** The base's file or the adapter's folder. */
  root: string;
  template: ChatTemplate;
}

/** One base model and its adapters. */
export class ServedModels {
  readonly #served = new Map<string, Served>();
  readonly #pool: ContextPool;
  readonly #converted: GgufAdapters;
  readonly #base: GgufBase;
  /** Tokens of prompt and answer together. */
  readonly contextSize: number;

  private constructor(
    private readonly model: LlamaModel,
    private readonly templates: TemplateEngine,
    private readonly options: ModelOptions,
  ) {
    this.contextSize = Math.min(options.contextSize, model.trainContextSize);
    this.#pool = new ContextPool(model, { ...options, contextSize: this.contextSize });
    this.#converted = new GgufAdapters(options.adapters);
    this.#base = baseIn(model.fileInfo.metadata);
  }

  static async open(model: LlamaModel, templates: TemplateEngine, options: ModelOptions): Promise<ServedModels> {
    const models = new ServedModels(model, templates, options);
    const source = templateIn(model.fileInfo.metadata) ?? (await readFile(options.template, 'utf8'));
    models.#put(options.name, null, options.gguf, source);
    return models;
  }

  /** As vLLM lists them, the base first. */
  list(): { id: string; root: string; parent: string | null }[] {
    const { name } = this.options;
    return [...this.#served].map(([id, { root }]) => ({ id, root, parent: id === name ? null : name }));
  }

  /** @throws BadRequest with what llama.cpp or the conversion says against it */
  async load(name: string, folder: string, signal: AbortSignal): Promise<void> {
    this.#checkRoom(name);
    const file = await this.#converted.of(folder, this.#base).catch((error: unknown) => {
      throw new BadRequest(`the adapter in ${folder} cannot be converted: ${messageOf(error)}`);
    });
    await this.#pool
      .with(file, signal, () => Promise.resolve())
      .catch((error: unknown) => {
        signal.throwIfAborted();
        throw new BadRequest(`llama.cpp does not take the adapter in ${folder}: ${messageOf(error)}`);
      });
    const source = await templateBeside(folder);
    this.#checkRoom(name);
    this.#put(name, file, folder, source);
  }

  #checkRoom(name: string): void {
    const { maxLoras } = this.options;
    if (this.#served.has(name)) throw new BadRequest(`The lora adapter '${name}' has already been loaded.`);
    if (this.#served.size > maxLoras) throw new BadRequest(`${maxLoras} adapters are held already, which is the most`);
  }

  /** @throws BadRequest 404 */
  unload(name: string): void {
    if (name === this.options.name || !this.#served.delete(name))
      throw new BadRequest(`The lora adapter '${name}' cannot be found.`, 'lora_name', 404);
  }

  #put(name: string, file: string | null, root: string, source: string | undefined): void {
    const own = source === undefined ? undefined : chatTemplate(source, this.templates, this.model.tokens);
    this.#served.set(name, { file, root, template: own ?? this.#find(this.options.name).template });
  }

  #find(name: string): Served {
    const served = this.#served.get(name);
    if (!served) throw new BadRequest(`The model '${name}' does not exist.`, 'model', 404, 'model_not_found');
    return served;
  }

  /**
   * @param heard is called with each piece, and waited for: a client that reads slowly slows its answer only
   * @throws BadRequest before the first piece; the signal's reason
   */
  async answer(asked: AskedAnswer, signal: AbortSignal, heard: (piece: Piece) => Promise<void>): Promise<AnswerEnd> {
    const { file, template } = this.#find(asked.model);
    const prompt = this.#tokens(asked.prompt, template);
    const room = this.contextSize - prompt.length;
    if (prompt.length === 0) throw new BadRequest('the prompt is empty', 'prompt');
    if (room < (asked.maxTokens ?? 1))
      throw new BadRequest(
        `the context holds ${this.contextSize} tokens; the prompt has ${prompt.length}, and max_tokens is ${asked.maxTokens ?? 'unset'}`,
        'turns' in asked.prompt ? 'messages' : 'prompt',
        400,
        'context_length_exceeded',
      );
    const wanted = { ...asked, prompt, most: asked.maxTokens ?? room };
    return this.#pool.with(file, signal, (sequence) =>
      answer(sequence, this.model, wanted, (piece) => {
        signal.throwIfAborted();
        return heard(piece);
      }),
    );
  }

  /** A template writes the first token itself; a text gets it as the base's tokenizer says. */
  #tokens(prompt: AskedAnswer['prompt'], template: ChatTemplate): Token[] {
    if ('turns' in prompt) return this.model.tokenize(template(prompt.turns), true);
    if ('tokens' in prompt) return prompt.tokens;
    const { bos, shouldPrependBosToken: begins } = this.model.tokens;
    return [...(begins && bos !== null ? [bos] : []), ...this.model.tokenize(prompt.text, true)];
  }
}

function baseIn(metadata: Readonly<Record<string, unknown>>): GgufBase {
  const { architecture } = (metadata['general'] ?? {}) as { architecture?: string };
  if (architecture === undefined) throw new Error('the file says nothing of its architecture');
  const { attention } = (metadata[architecture] ?? {}) as {
    attention?: { head_count?: number; head_count_kv?: number };
  };
  const heads = attention?.head_count ?? 1;
  return { architecture, heads, kvHeads: attention?.head_count_kv ?? heads };
}
