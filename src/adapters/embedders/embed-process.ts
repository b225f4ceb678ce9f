import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type EmbeddingModel, EmbedderUnavailable } from '../../modules/documents/embedder.port.js';
import { maskPatterns } from '../../kernel/secret-mask.js';
import { Deferred } from '../../kernel/deferred.js';
import { interruptible } from '../../kernel/interruptible.js';
import { LastWords } from '../launchers/last-words.js';
import { parseWorkerMessage, type WorkerMessage } from './worker-message.js';

export interface WorkerCommand {
  python: string;
  args: string[];
  env: Record<string, string>;
  /** Without a word for so long, while there is something to do, a worker counts as hung and is killed. */
  silenceMs: number;
  /** The same, while it loads the model. */
  startMs: number;
}

/** Why a worker is no more. `model`: it has none, and says so; `crash`: anything else. */
export class WorkerEnded extends Error {
  constructor(
    readonly kind: 'model' | 'crash' | 'stopped',
    message: string,
  ) {
    super(message);
  }
}

type Request = { embed: string[]; as: 'query' | 'passage' } | { count: string[] };
type Answer = Extract<WorkerMessage, { kind: 'answer' }>;

const STOP_MS = 3000;
const DOWNLOAD_MS = 3_600_000;

/** One worker process, from its start to its end. */
export class EmbedProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #pending = new Map<number, Deferred<Answer>>();
  readonly #ready = new Deferred<EmbeddingModel>();
  readonly #downloading = new Deferred<never>();
  readonly #gone = new Deferred<void>();
  #last = 0;
  #isReady = false;
  #reason: WorkerEnded | undefined;
  #watch: NodeJS.Timeout | undefined;

  constructor(
    private readonly command: WorkerCommand,
    private readonly onEnd: (end: WorkerEnded) => void,
  ) {
    this.#child = spawn(command.python, command.args, { env: command.env, stdio: ['pipe', 'pipe', 'pipe'] });
    const words = new LastWords(this.#child.stderr);
    this.#child.once('error', (error) => this.#end(new WorkerEnded('crash', `it cannot be started: ${error.message}`)));
    this.#child.once('close', (code, signal) => this.#end(new WorkerEnded('crash', words.afterEnd(code, signal))));
    this.#child.stdin.on('error', () => undefined);
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#hear(parseWorkerMessage(line)));
    this.#listenFor(command.startMs);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** @throws WorkerEnded; EmbedderUnavailable while the model is being downloaded, which nobody should wait for */
  ready(signal?: AbortSignal): Promise<EmbeddingModel> {
    return interruptible(Promise.race([this.#ready.promise, this.#downloading.promise]), signal);
  }

  /** @throws WorkerEnded; EmbedderUnavailable where this request failed */
  async request(request: Request, signal?: AbortSignal): Promise<Answer> {
    signal?.throwIfAborted();
    if (this.#reason) throw this.#reason;
    const id = (this.#last += 1);
    const answer = new Deferred<Answer>();
    this.#pending.set(id, answer);
    this.#send({ id, ...request });
    this.#listen();
    try {
      return await interruptible(answer.promise, signal);
    } catch (error) {
      if (this.#pending.delete(id)) this.#send({ cancel: id });
      throw error;
    } finally {
      this.#listen();
    }
  }

  /** Lets it end by itself, and ends it where it does not. */
  async stop(): Promise<void> {
    this.#reason ??= new WorkerEnded('stopped', 'it was stopped');
    this.#child.stdin.end();
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await this.#gone.promise;
    clearTimeout(late);
  }

  #send(message: object): void {
    if (this.#child.stdin.writable) this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  #hear(message: WorkerMessage | undefined): void {
    if (message === undefined) return;
    if (message.kind === 'downloading') {
      this.#downloading.reject(new EmbedderUnavailable('the embedding model is being downloaded'));
      return this.#listenFor(DOWNLOAD_MS);
    }
    if (message.kind === 'failed') this.#reason ??= new WorkerEnded('model', message.message);
    else if (message.kind === 'ready') {
      this.#isReady = true;
      const { name, dimension, maxTokens } = message;
      this.#ready.resolve({ name, dimension, maxTokens });
    } else if (message.kind !== 'alive') this.#settle(message);
    this.#listen();
  }

  #settle(message: Extract<WorkerMessage, { kind: 'answer' | 'error' }>): void {
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.kind === 'answer') pending?.resolve(message);
    else pending?.reject(new EmbedderUnavailable(maskPatterns(message.message)));
  }

  /** Every word begins the wait for the next one anew. */
  #listen(): void {
    if (!this.#isReady) return;
    clearTimeout(this.#watch);
    if (this.#pending.size > 0) this.#listenFor(this.command.silenceMs);
  }

  #listenFor(ms: number): void {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => {
      this.#reason ??= new WorkerEnded('crash', `it did not answer for ${ms / 1000} s and was killed`);
      this.#child.kill('SIGKILL');
    }, ms);
  }

  #end(end: WorkerEnded): void {
    clearTimeout(this.#watch);
    this.#isReady = false;
    const reason = (this.#reason ??= end);
    // Told first: who was waiting may want to begin anew at once.
    this.onEnd(reason);
    this.#ready.reject(reason);
    for (const answer of this.#pending.values()) answer.reject(reason);
    this.#pending.clear();
    this.#gone.resolve();
  }
}
