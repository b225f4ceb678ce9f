import type { Clock } from '../../kernel/clock.js';
import { Deferred } from '../../kernel/deferred.js';
import { messageOf } from '../../kernel/errors.js';
import { interruptible } from '../../kernel/interruptible.js';
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
import { checkFolder } from './adapter-folder.js';
import { EngineCondition } from './engine-condition.js';
import { EngineProcess } from './engine-process.js';
import { VllmApi } from './vllm-api.js';

/** What is to be started, and how it is known that it is ready. */
export interface ChildStart {
  command: string;
  args: string[];
  env: Record<string, string>;
  key: string;
  /** @throws EngineUnavailable where it says that it cannot */
  ready(onLine: (listener: (line: string) => void) => void, signal: AbortSignal): Promise<EngineReady>;
}

export interface EngineReady {
  url: string;
  /** Name of the base model there. */
  base: string;
}

export interface ChildSurroundings {
  log: Log;
  clock: Clock;
  startMs: number;
}

interface Running {
  child: EngineProcess;
  api: VllmApi;
  base: string;
}

/** An engine that this application starts and supervises. */
export abstract class ChildEngine extends Engine {
  readonly isOurs = true;
  readonly #condition: EngineCondition;
  #running: Running | undefined;
  #starting: Promise<void> | undefined;
  #stopping = new AbortController();
  #isClosed = false;

  constructor(private readonly around: ChildSurroundings) {
    super();
    this.#condition = new EngineCondition('asleep', around.clock);
  }

  /** What to start; waits where that is not known yet. */
  protected abstract prepare(gpus: readonly number[], signal: AbortSignal): Promise<ChildStart>;

  state(): EngineState {
    return this.#condition.state;
  }

  onChange(listener: () => void): () => void {
    return this.#condition.onChange(listener);
  }

  async wake(signal: AbortSignal, gpus: readonly number[] = []): Promise<void> {
    signal.throwIfAborted();
    if (this.#isClosed) throw new EngineUnavailable('the application is stopping');
    if (this.#running) return;
    this.#starting ??= this.#start(gpus).finally(() => (this.#starting = undefined));
    await interruptible(this.#starting, signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new EngineUnavailable('the engine was stopped'));
    await this.#starting?.catch(() => undefined);
    const running = this.#running;
    // First of all: what ends now was meant to.
    this.#running = undefined;
    if (running) await Promise.all([running.child.stop(), running.api.close()]);
    if (!this.#running && !this.#starting) this.#condition.set('asleep');
  }

  /** Ends it for good. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.stop();
  }

  nameOf({ modelId }: { modelId: string }): string {
    return modelId;
  }

  baseName(): string {
    return this.#up().base;
  }

  served(signal: AbortSignal): Promise<ServedModel[]> {
    return this.#up().api.models(signal);
  }

  async load({ engineName, path }: EngineAdapter, signal: AbortSignal): Promise<void> {
    await checkFolder(path);
    await this.#up().api.load(engineName, path, signal);
  }

  unload(engineName: string, signal: AbortSignal): Promise<void> {
    return this.#up().api.unload(engineName, signal);
  }

  async send(request: EngineRequest): Promise<EngineReply> {
    return this.#up().api.send(request);
  }

  /** Of the process, for tests that end it. */
  get pid(): number | undefined {
    return this.#running?.child.pid;
  }

  protected get api(): VllmApi {
    return this.#up().api;
  }

  #up(): Running {
    if (this.#running) return this.#running;
    const now = this.state();
    throw new EngineUnavailable(
      'reason' in now ? `the engine is ${now.is}: ${now.reason}` : `the engine is ${now.is === 'up' ? 'away' : now.is}`,
    );
  }

  async #start(gpus: readonly number[]): Promise<void> {
    const stopping = (this.#stopping = new AbortController());
    this.#condition.set('starting');
    try {
      const start = await this.prepare(gpus, stopping.signal);
      this.#running = await this.#launch(start, stopping.signal);
      this.#condition.set('up');
      this.around.log.info('an engine is up', { engine: this.id, pid: this.#running.child.pid });
    } catch (error) {
      if (stopping.signal.aborted) this.#condition.set('asleep');
      else this.#condition.setBad('failed', messageOf(error));
      throw error instanceof EngineUnavailable ? error : new EngineUnavailable(messageOf(error));
    }
  }

  async #launch(start: ChildStart, stopping: AbortSignal): Promise<Running> {
    const { command, args, env, key } = start;
    const listeners: ((line: string) => void)[] = [];
    const gone = new Deferred<never>();
    const child: EngineProcess = new EngineProcess({
      command,
      args,
      env,
      onLine: (line) => listeners.forEach((listener) => listener(line)),
      onEnd: (reason) => {
        gone.reject(new EngineUnavailable(reason));
        this.#ended(child, reason);
      },
    });
    this.around.log.info('an engine is starting', { engine: this.id, pid: child.pid });
    const { startMs } = this.around;
    const limit = AbortSignal.any([stopping, AbortSignal.timeout(startMs)]);
    try {
      const waiting = start.ready((listener) => listeners.push(listener), limit);
      const { url, base } = await interruptible(Promise.race([waiting, gone.promise]), limit);
      return { child, api: new VllmApi(url, key), base };
    } catch (error) {
      await child.stop();
      if (!limit.aborted || stopping.aborted) throw error;
      throw new EngineUnavailable(`it was not ready within ${startMs / 1000} s (CLARA_SERVING_START_SECONDS)`);
    }
  }

  #ended(child: EngineProcess, reason: string): void {
    if (this.#running?.child !== child) return;
    void this.#running.api.close();
    this.#running = undefined;
    this.#condition.setBad('down', reason);
    this.around.log.warn('an engine ended by itself', { engine: this.id, reason });
  }
}
