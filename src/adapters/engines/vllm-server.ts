import type { Clock } from '../../kernel/clock.js';
import { messageOf } from '../../kernel/errors.js';
import type { Log } from '../../kernel/log.js';
import {
  Engine,
  EngineUnavailable,
  type EngineAdapter,
  type EngineReply,
  type EngineRequest,
  type EngineState,
  type ServedModel,
} from '../../modules/serving/engine.port.js';
import { checkFolder, remotePath, type PathMap } from './adapter-folder.js';
import { EngineCondition } from './engine-condition.js';
import { VllmApi } from './vllm-api.js';

export interface VllmServerOptions {
  id: string;
  /** Without /v1. */
  url: string;
  key: string | undefined;
  pathMap: PathMap | undefined;
}

const ANSWER_MS = 5000;

/** A vLLM server of yours, by its address. */
export class VllmServer extends Engine {
  readonly kind = 'vllm';
  readonly isOurs = false;
  readonly id: string;
  readonly #api: VllmApi;
  readonly #condition: EngineCondition;
  #base: string | undefined;
  #isControlChecked = false;

  constructor(
    private readonly options: VllmServerOptions,
    private readonly around: { log: Log; clock: Clock },
  ) {
    super();
    this.id = options.id;
    this.#api = new VllmApi(options.url, options.key);
    this.#condition = new EngineCondition({ down: 'it was not asked yet' }, around.clock);
  }

  state(): EngineState {
    return this.#condition.state;
  }

  onChange(listener: () => void): () => void {
    return this.#condition.onChange(listener);
  }

  async wake(signal: AbortSignal): Promise<void> {
    if (this.state().is === 'up') return;
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
      const base = (await this.#api.models(limit)).find(({ parent }) => parent === null);
      if (!base) throw new EngineUnavailable('it lists no base model');
      this.#base = base.engineName;
      await this.#checkControl(limit);
      this.#condition.set('up');
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const reason = isTimeout(error) ? `it does not answer within ${ANSWER_MS / 1000} s` : messageOf(error);
      this.#condition.setBad('down', reason);
      throw new EngineUnavailable(`${this.options.url}: ${reason}`);
    }
  }

  /** The server itself goes on; it counts as down until it answers again. */
  stop(): Promise<void> {
    this.#condition.setBad('down', 'it did not answer');
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.#api.close();
  }

  nameOf({ modelId }: { modelId: string }): string {
    return modelId;
  }

  baseName(): string {
    if (this.#base === undefined) throw new EngineUnavailable(`${this.options.url} did not answer yet`);
    return this.#base;
  }

  served(signal: AbortSignal): Promise<ServedModel[]> {
    return this.#api.models(signal);
  }

  async load({ engineName, path }: EngineAdapter, signal: AbortSignal): Promise<void> {
    await checkFolder(path);
    await this.#api.load(engineName, remotePath(path, this.options.pathMap), signal);
  }

  unload(engineName: string, signal: AbortSignal): Promise<void> {
    return this.#api.unload(engineName, signal);
  }

  send(request: EngineRequest): Promise<EngineReply> {
    return this.#api.send(request);
  }

  async #checkControl(signal: AbortSignal): Promise<void> {
    if (this.#isControlChecked) return;
    const control = await this.#api.adapterControl(signal);
    this.#isControlChecked = true;
    const { url } = this.options;
    if (control === 'open')
      this.around.log.warn(
        'AN ENGINE WITHOUT A KEY: whoever reaches it may load and drop adapters; start it with --api-key and set CLARA_SERVING_API_KEY',
        { engine: this.id, url },
      );
    if (control === 'off')
      this.around.log.warn(
        'an engine takes no adapters while it runs; start it with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True',
        { engine: this.id, url },
      );
  }
}

const isTimeout = (error: unknown): boolean => error instanceof Error && error.name === 'TimeoutError';
