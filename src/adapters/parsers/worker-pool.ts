import type { WorkerProtocol } from './worker-messages.js';
import { WorkerProcess, type WorkerLimits, type WorkerScript } from './worker-process.js';

/** A process is replaced after this many files, so that what libraries leak stays small. */
const MOST_FILES = 200;
/** Idle processes are ended after this time. */
const IDLE_MS = 300_000;

export interface PoolOptions extends WorkerLimits {
  script: WorkerScript;
  /** Processes at the same time. */
  workers: number;
}

/** Warm processes; started when needed, replaced when used up, ended when idle. */
export class WorkerPool<P extends WorkerProtocol> {
  readonly #idle: WorkerProcess<P>[] = [];
  readonly #busy = new Set<WorkerProcess<P>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #closed = false;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(private readonly options: PoolOptions) {}

  /** @throws what `work` throws; Error where no process can be started; the reason of `signal` */
  async use<T>(signal: AbortSignal, work: (worker: WorkerProcess<P>) => Promise<T>): Promise<T> {
    await this.#turn(signal);
    try {
      if (this.#closed) throw new Error('the parser is closed');
      const worker = this.#take() ?? (await WorkerProcess.start<P>(this.options.script, this.options));
      this.#busy.add(worker);
      try {
        return await work(worker);
      } finally {
        this.#busy.delete(worker);
        this.#giveBack(worker);
      }
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  /** Ends all processes; what they are asked fails. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#idleTimer);
    for (const worker of [...this.#busy, ...this.#idle]) worker.kill(new Error('the parser is closed'));
    this.#idle.length = 0;
  }

  /** Waits until fewer than `workers` run, first come, first served. */
  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running >= this.options.workers)
      await new Promise<void>((resolve, reject) => {
        const abort = (): void => {
          this.#waiting.splice(this.#waiting.indexOf(go), 1);
          reject(signal.reason as Error);
        };
        const go = (): void => {
          signal.removeEventListener('abort', abort);
          resolve();
        };
        signal.addEventListener('abort', abort, { once: true });
        this.#waiting.push(go);
      });
    this.#running++;
  }

  #take(): WorkerProcess<P> | undefined {
    for (let worker = this.#idle.pop(); worker; worker = this.#idle.pop()) if (worker.alive) return worker;
    return undefined;
  }

  #giveBack(worker: WorkerProcess<P>): void {
    if (!worker.alive) return;
    const worn = worker.served >= MOST_FILES || worker.memory > (this.options.memoryMb * 1_048_576) / 2;
    if (worn || this.#closed) worker.kill(new Error('the parser process was replaced'));
    else this.#idle.push(worker);
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      for (const idle of this.#idle.splice(0)) idle.kill(new Error('the parser process was idle'));
    }, IDLE_MS).unref();
  }
}
