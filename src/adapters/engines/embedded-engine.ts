import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Deferred } from '../../kernel/deferred.js';
import { interruptible } from '../../kernel/interruptible.js';
import { EngineUnavailable } from '../../modules/serving/engine.port.js';
import { trainingEnvironment } from '../launchers/child-environment.js';
import { ChildEngine, type ChildStart, type ChildSurroundings } from './child-engine.js';
import { readyByLine } from './ready-line.js';

/** The trainer's Python environment and the default base model, which may still be made. */
export interface Installation {
  /** The base is a folder or a hub id. undefined: not there yet */
  found(): { python: string; base: string } | undefined;
  onChange(listener: () => void): () => void;
}

export interface EmbeddedOptions {
  id: string;
  /** Folder of the trainer package. */
  trainer: string;
  /** What the base model is called, given its folder or hub id. */
  slugOf: (base: string) => string;
  maxLoras: number;
  maxRank: number;
  maxRows: number;
  threads: number;
  device: 'cpu' | 'cuda';
  /** CUDA_VISIBLE_DEVICES for these GPUs. */
  visibleDevices: (gpus: readonly number[]) => string;
  environment: Readonly<Record<string, string | undefined>>;
}

/** transformers in a process of the trainer's environment: one base model, many adapters. */
export class EmbeddedEngine extends ChildEngine {
  readonly kind = 'embedded';
  readonly id: string;
  override readonly wantedGpus: number;

  constructor(
    private readonly options: EmbeddedOptions,
    private readonly installation: Installation,
    around: ChildSurroundings,
  ) {
    super(around);
    this.id = options.id;
    this.wantedGpus = options.device === 'cuda' ? 1 : 0;
  }

  override async useThreads(threads: number, signal: AbortSignal): Promise<void> {
    await this.api.threads(threads, signal);
  }

  protected async prepare(gpus: readonly number[], signal: AbortSignal): Promise<ChildStart> {
    const { python, base } = await this.#installed(signal);
    const { options } = this;
    const key = randomBytes(32).toString('base64url');
    const args = {
      model: base,
      name: options.slugOf(base),
      'max-loras': options.maxLoras,
      'max-rank': options.maxRank,
      'max-rows': options.maxRows,
      threads: options.threads,
      device: options.device,
    };
    return {
      command: python,
      args: [
        '-m',
        'clara_trainer.serve',
        ...Object.entries(args).flatMap(([name, value]) => [`--${name}`, `${value}`]),
      ],
      env: {
        ...trainingEnvironment(options.environment),
        PYTHONPATH: join(options.trainer, 'src'),
        PYTHONUNBUFFERED: '1',
        HF_HUB_OFFLINE: '1',
        CLARA_ENGINE_KEY: key,
        CUDA_VISIBLE_DEVICES: options.visibleDevices(gpus),
      },
      key,
      ready: readyByLine,
    };
  }

  async #installed(signal: AbortSignal): Promise<{ python: string; base: string }> {
    const ready = new Deferred<void>();
    const look = (): void => (this.installation.found() ? ready.resolve() : undefined);
    const off = this.installation.onChange(look);
    try {
      look();
      await interruptible(ready.promise, signal);
    } finally {
      off();
    }
    const found = this.installation.found();
    if (!found) throw new EngineUnavailable('the trainer environment went away');
    return found;
  }
}
