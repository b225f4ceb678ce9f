import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { interruptible } from '../../kernel/interruptible.js';
import { EngineUnavailable } from '../../modules/serving/engine.port.js';
import { builtScript } from '../launchers/built-script.js';
import { trainingEnvironment } from '../launchers/child-environment.js';
import { shippedTemplate } from './adapter-folder.js';
import { ChildEngine, type ChildStart, type ChildSurroundings } from './child-engine.js';
import { convertedIn } from './gguf/convert-adapter.js';
import { readyByLine } from './ready-line.js';

export interface LlamacppOptions {
  id: string;
  /** Root of the project, which holds `dist`. */
  root: string;
  /** The base as a GGUF file. */
  gguf: string;
  /** What the base is called. */
  base: string;
  /** Where converted adapters are kept. */
  cache: string;
  /** Folder of the trainer package, with the shipped chat template. */
  trainer: string;
  maxLoras: number;
  maxRows: number;
  contextTokens: number;
  threads: number;
  environment: Readonly<Record<string, string | undefined>>;
}

/** llama.cpp in a Node process: one GGUF base, many adapters, without Python. */
export class LlamacppEngine extends ChildEngine {
  readonly kind = 'llamacpp';
  readonly id: string;

  /** @param install puts node-llama-cpp into the cache, once; gives its folder */
  constructor(
    private readonly options: LlamacppOptions,
    private readonly install: () => Promise<string>,
    around: ChildSurroundings,
  ) {
    super(around);
    this.id = options.id;
  }

  override async useThreads(threads: number, signal: AbortSignal): Promise<void> {
    await this.api.threads(threads, signal);
  }

  protected async prepare(_: readonly number[], signal: AbortSignal): Promise<ChildStart> {
    const { options } = this;
    await access(options.gguf).catch(() => {
      throw new EngineUnavailable(`CLARA_SERVING_GGUF: the file ${options.gguf} cannot be read`);
    });
    const library = await interruptible(this.install(), signal);
    const key = randomBytes(32).toString('base64url');
    const args = {
      library,
      model: options.gguf,
      name: options.base,
      adapters: convertedIn(options.cache),
      template: shippedTemplate(options.trainer),
      'max-loras': options.maxLoras,
      rows: options.maxRows,
      context: options.contextTokens,
      threads: options.threads,
    };
    const script = builtScript(options.root, 'engines/llamacpp/llamacpp-worker');
    return {
      command: process.execPath,
      args: [script, ...Object.entries(args).map(([name, value]) => `--${name}=${value}`)],
      env: { ...trainingEnvironment(options.environment), CLARA_ENGINE_KEY: key },
      key,
      ready: readyByLine,
    };
  }
}
