import { join } from 'node:path';
import type { Clock } from '../../kernel/clock.js';
import type { Log } from '../../kernel/log.js';
import { Embedder, EmbedderUnavailable, type EmbeddingModel } from '../../modules/documents/embedder.port.js';
import { trainingEnvironment } from '../launchers/child-environment.js';
import { EmbedProcess, type WorkerCommand, WorkerEnded } from './embed-process.js';
import { partsOf } from './request-parts.js';
import { restPauseMs } from './rest-pause.js';
import { Rest } from './rest.js';
import { checkDimension, decodeVectors } from './vectors.js';

export interface WorkerEmbedderOptions {
  /** Python of the trainer's environment, or why there is none yet. */
  python: () => { path: string } | { reason: string };
  /** Folder of the trainer package. */
  trainer: string;
  /** Folder, name below one of the roots, or hub id. */
  model: string;
  roots: string[];
  /** undefined: what the model's own configuration says. */
  prefixes: { query: string | undefined; passage: string | undefined };
  download: boolean;
  device: 'cpu' | 'cuda';
  threads: number;
  /** 0: never stopped. */
  idleSeconds: number;
  /** Numbers a vector must have; undefined: any. */
  dimension: number | undefined;
  silenceMs?: number;
  startMs?: number;
}

interface Surroundings {
  environment: Readonly<Record<string, string | undefined>>;
  log: Log;
  clock: Clock;
}

const NICE = 10;
const SILENCE_MS = 120_000;
const START_MS = 300_000;
/** Small enough for a question to pass by, large enough to be sorted by length. */
const EMBED_PART = { texts: 64, characters: 200_000 };
const COUNT_PART = { texts: 2000, characters: 1_000_000 };

/** Embeds in a process of its own in the trainer's environment; it runs only while it is used. */
export class WorkerEmbedder extends Embedder {
  #process: EmbedProcess | undefined;
  #model: EmbeddingModel | undefined;
  readonly #rest: Rest;
  #failures = 0;
  #users = 0;
  #idle: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(
    private readonly options: WorkerEmbedderOptions,
    private readonly around: Surroundings,
  ) {
    super();
    this.#rest = new Rest(around.clock);
  }

  async model(): Promise<EmbeddingModel> {
    this.#throwIfResting();
    return this.#model ?? (await this.#using((embedProcess) => embedProcess.ready()));
  }

  async countTokens(texts: string[]): Promise<number[]> {
    const counts: number[] = [];
    for (const part of partsOf(texts, COUNT_PART)) {
      const answer = await this.#using((embedProcess) => embedProcess.request({ count: part }));
      counts.push(...(answer.counts ?? []));
    }
    return counts;
  }

  async embed(texts: string[], as: 'query' | 'passage', signal?: AbortSignal): Promise<number[][]> {
    const vectors: number[][] = [];
    for (const part of partsOf(texts, EMBED_PART)) {
      const answer = await this.#using((embedProcess) => embedProcess.request({ embed: part, as }, signal), signal);
      for (const vector of decodeVectors(answer.vectors ?? '', part.length)) vectors.push(vector);
    }
    return vectors;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#stop();
  }

  /** Does the work with a worker that is ready; once more where that one dies, for it may not be this work's fault. */
  async #using<T>(work: (embedProcess: EmbedProcess) => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.#users += 1;
    clearTimeout(this.#idle);
    try {
      return await this.#attempt(work, signal).catch((error: unknown) => {
        if (!(error instanceof WorkerEnded) || error.kind === 'model') throw error;
        return this.#attempt(work, signal);
      });
    } catch (error) {
      throw error instanceof WorkerEnded ? new EmbedderUnavailable(this.#reasonOf(error)) : error;
    } finally {
      this.#users -= 1;
      this.#stopWhenIdle();
    }
  }

  async #attempt<T>(work: (embedProcess: EmbedProcess) => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    this.#throwIfResting();
    this.#process ??= this.#start();
    const embedProcess = this.#process;
    const model = await embedProcess.ready(signal);
    checkDimension(model.dimension, this.options.dimension);
    this.#model = model;
    const answer = await work(embedProcess);
    this.#failures = 0;
    return answer;
  }

  #throwIfResting(): void {
    if (this.#isClosed) throw new EmbedderUnavailable('the embedder is closed');
    this.#rest.throwIfResting();
  }

  #start(): EmbedProcess {
    const python = this.options.python();
    if ('reason' in python)
      throw new EmbedderUnavailable(`the trainer environment is being installed: ${python.reason}`);
    const embedProcess: EmbedProcess = new EmbedProcess(this.#command(python.path), (end) =>
      this.#onEnd(embedProcess, end),
    );
    this.around.log.info('the embedding worker is starting', { model: this.options.model, pid: embedProcess.pid });
    return embedProcess;
  }

  #onEnd(embedProcess: EmbedProcess, end: WorkerEnded): void {
    if (this.#process === embedProcess) this.#process = undefined;
    if (end.kind === 'stopped') return this.around.log.info('the embedding worker was stopped');
    this.#failures += 1;
    const pause = restPauseMs(end.kind, this.#failures);
    this.#rest.begin(pause, this.#reasonOf(end));
    this.around.log.warn('the embedding worker is not there', { reason: end.message, seconds: pause / 1000 });
  }

  #reasonOf(end: WorkerEnded): string {
    return end.kind === 'model' ? end.message : `the embedding worker failed: ${end.message}`;
  }

  #stopWhenIdle(): void {
    clearTimeout(this.#idle);
    const { idleSeconds } = this.options;
    if (this.#users > 0 || idleSeconds === 0) return;
    this.#idle = setTimeout(() => void this.#stop(), idleSeconds * 1000).unref();
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#idle);
    const embedProcess = this.#process;
    // A call that comes meanwhile starts a new one.
    this.#process = undefined;
    await embedProcess?.stop();
  }

  #command(python: string): WorkerCommand {
    const { trainer, model, roots, prefixes, download, device, threads } = this.options;
    const args = [
      '-m',
      'clara_trainer.embed',
      `--model=${model}`,
      ...roots.map((root) => `--root=${root}`),
      ...prefixArgument('query', prefixes.query),
      ...prefixArgument('passage', prefixes.passage),
      `--device=${device}`,
      `--threads=${threads}`,
      `--nice=${NICE}`,
      ...(download ? ['--download'] : []),
    ];
    const env = { ...trainingEnvironment(this.around.environment), PYTHONPATH: join(trainer, 'src') };
    const { silenceMs = SILENCE_MS, startMs = START_MS } = this.options;
    return { python, args, env, silenceMs, startMs };
  }
}

const prefixArgument = (use: 'query' | 'passage', prefix: string | undefined): string[] =>
  prefix === undefined ? [] : [`--${use}-prefix=${prefix}`];
