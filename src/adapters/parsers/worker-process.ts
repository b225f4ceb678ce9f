import { fork, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { UnreadableFile } from '../../modules/documents/document-parser.port.js';
import { OUT_OF_MEMORY, type WorkerProtocol, type WorkerReply } from './worker-messages.js';

const START_TIMEOUT_MS = 30_000;
/** Of the resident memory, what is not JavaScript's heap: code, buffers, stacks. */
const BESIDES_HEAP_MB = 128;
const LEAST_HEAP_MB = 64;
const KEPT_STDERR = 4096;

export interface WorkerLimits {
  /** Resident memory of the whole process. */
  memoryMb: number;
  timeoutMs: number;
}

export interface WorkerScript {
  /** Built JavaScript file. */
  path: string;
  /** Folder that it may write to; null: none. */
  writes: string | null;
}

/** Node's permission model: it reads files, and neither writes others, starts programs nor loads native code. */
function permissions(writes: string | null): string[] {
  const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission';
  const write = writes === null ? [] : [`--allow-fs-write=${writes}/*`];
  return [flag, '--allow-fs-read=*', '--allow-worker', ...write, '--no-warnings'];
}

/** Takes a part of a result; `more time`: the request's time begins anew, which the taker must bound. */
type Take<P extends WorkerProtocol> = (part: P['part']) => 'more time' | undefined;

/** A child process that serves one request at a time, and that nothing can keep from being killed. */
export class WorkerProcess<P extends WorkerProtocol> {
  #served = 0;
  #memory = 0;
  #stderr = '';
  #killed: UnreadableFile | Error | null = null;

  private constructor(
    private readonly child: ChildProcess,
    private readonly limits: WorkerLimits,
  ) {
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('latin1')).slice(-KEPT_STDERR);
    });
  }

  /** @throws Error where the script does not start */
  static async start<P extends WorkerProtocol>(script: WorkerScript, limits: WorkerLimits): Promise<WorkerProcess<P>> {
    if (!existsSync(script.path)) throw new Error(`${script.path} is missing: build the application (npm run build)`);
    const heap = Math.max(LEAST_HEAP_MB, limits.memoryMb - BESIDES_HEAP_MB);
    const child = fork(script.path, [String(limits.memoryMb)], {
      execArgv: [`--max-old-space-size=${heap}`, ...permissions(script.writes)],
      // A parser needs nothing of our environment, and no secret of it.
      env: {},
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const worker = new WorkerProcess<P>(child, limits);
    await worker.#ready();
    worker.rest();
    return worker;
  }

  /** Requests served so far. */
  get served(): number {
    return this.#served;
  }

  /** Resident bytes after the last request. */
  get memory(): number {
    return this.#memory;
  }

  get alive(): boolean {
    return this.child.connected && this.child.exitCode === null && this.child.signalCode === null && !this.#killed;
  }

  /**
   * Asks one thing.
   * @param take gets the parts in order; answers whether the time begins anew; what it throws ends the request and the process
   * @throws UnreadableFile of the worker, or timeout, memory or broken where it died; the reason of `signal`
   */
  ask(request: P['request'], take: Take<P>, signal: AbortSignal): Promise<P['result']> {
    return new Promise<P['result']>((resolve, reject) => {
      const seconds = this.limits.timeoutMs / 1000;
      const late = new UnreadableFile(
        'timeout',
        `The file was not read within ${seconds} s. Split it, or raise CLARA_PARSE_TIMEOUT_SECONDS.`,
      );
      const timer = setTimeout(() => this.kill(late), this.limits.timeoutMs);
      const abort = (): void => this.kill(signal.reason as Error);
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        this.child.removeAllListeners('message').removeAllListeners('close');
        this.rest();
        settle();
      };
      this.child.on('message', (reply: WorkerReply<P>) => this.#heard(reply, { take, resolve, reject, end, timer }));
      this.child.once('close', () => end(() => reject(this.#death())));
      signal.addEventListener('abort', abort, { once: true });
      this.#wake();
      if (signal.aborted) abort();
      else this.child.send(request, (error) => error && this.kill(error));
    });
  }

  /** Ends the process at once; what it is being asked fails with the reason. */
  kill(reason: Error): void {
    this.#killed ??= reason;
    this.child.kill('SIGKILL');
  }

  /** Lets the application end while the worker waits for work. */
  rest(): void {
    this.child.unref();
    this.child.channel?.unref();
    (this.child.stderr as { unref?: () => void } | null)?.unref?.();
  }

  #wake(): void {
    this.child.ref();
    this.child.channel?.ref();
  }

  #heard(
    reply: WorkerReply<P>,
    on: {
      take: Take<P>;
      timer: NodeJS.Timeout;
      resolve: (result: P['result']) => void;
      reject: (error: Error) => void;
      end: (settle: () => void) => void;
    },
  ): void {
    if (this.#killed) return;
    if (reply.say === 'part') {
      try {
        if (on.take(reply.part) === 'more time') on.timer.refresh();
      } catch (error) {
        this.kill(error as Error);
      }
    } else if (reply.say === 'done') {
      this.#served++;
      this.#memory = reply.memory;
      on.end(() => on.resolve(reply.result));
    } else if (reply.say === 'failed') {
      this.#served++;
      on.end(() => on.reject(new UnreadableFile(reply.reason, reply.message)));
    }
  }

  #ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.kill(new Error(`the parser process did not start within ${START_TIMEOUT_MS / 1000} s`)),
        START_TIMEOUT_MS,
      );
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        this.child.removeAllListeners('message').removeAllListeners('close').removeAllListeners('error');
        this.child.on('error', (error) => this.kill(error));
        settle();
      };
      this.child.once('message', () => end(resolve));
      this.child.once('error', (error) => end(() => reject(error)));
      this.child.once('close', () =>
        end(() => reject(this.#killed ?? new Error(`the parser process did not start: ${this.#stderr.slice(-500)}`))),
      );
    });
  }

  #death(): Error {
    if (this.#killed) return this.#killed;
    const { exitCode, signalCode } = this.child;
    // Nobody here sent that signal: it is the system's, which ends what takes the most memory.
    if (
      this.#stderr.includes(OUT_OF_MEMORY) ||
      /heap out of memory|allocation failed/i.test(this.#stderr) ||
      signalCode === 'SIGKILL'
    )
      return new UnreadableFile(
        'memory',
        `Reading the file took more than ${this.limits.memoryMb} MB of memory. Split it, or raise CLARA_PARSE_MEMORY_MB.`,
      );
    return new UnreadableFile(
      'broken',
      `The file ended its parser (${signalCode ?? `exit code ${exitCode}`}). It is damaged.`,
    );
  }
}
