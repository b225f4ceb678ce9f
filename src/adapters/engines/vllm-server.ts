import type { Clock } from '../../kernel/clock.js';
import type { Log } from '../../kernel/log.js';
import {
  EngineUnavailable,
  type EngineAdapter,
  type EngineReply,
  type EngineRequest,
  type ServedModel,
} from '../../modules/serving/engine.port.js';
import { checkFolder, remotePath, type PathMap } from './adapter-folder.js';
import { ServerEngine } from './server-engine.js';
import { VllmApi } from './vllm-api.js';

export interface VllmServerOptions {
  id: string;
  /** Without /v1. */
  url: string;
  key: string | undefined;
  pathMap: PathMap | undefined;
}

/** A vLLM server of yours, by its address. */
export class VllmServer extends ServerEngine {
  readonly kind = 'vllm';
  readonly #api: VllmApi;
  #isControlChecked = false;

  constructor(
    private readonly options: VllmServerOptions,
    private readonly around: { log: Log; clock: Clock },
  ) {
    super(options, around.clock);
    this.#api = new VllmApi(options.url, options.key);
  }

  close(): Promise<void> {
    return this.#api.close();
  }

  nameOf({ modelId }: { modelId: string }): string {
    return modelId;
  }

  protected async look(signal: AbortSignal): Promise<string> {
    const base = (await this.#api.models(signal)).find(({ parent }) => parent === null);
    if (!base) throw new EngineUnavailable('it lists no base model');
    await this.#checkControl(signal);
    return base.engineName;
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
