import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Deferred } from '../../kernel/deferred.js';
import { LastWords } from '../launchers/last-words.js';

export interface EngineCommand {
  command: string;
  args: string[];
  env: Record<string, string>;
  /** Called with each line that it prints. */
  onLine: (line: string) => void;
  /** Called once when it is gone, with the reason. */
  onEnd: (reason: string) => void;
}

const STOP_MS = 3000;
const KILL_MS = 2000;

/** An engine as a child that ends when its stdin closes: so it never outlives this process, however that ends. */
export class EngineProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #gone = new Deferred<void>();
  #hasEnded = false;

  constructor({ command, args, env, onLine, onEnd }: EngineCommand) {
    this.#child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    const words = new LastWords(this.#child.stderr);
    const end = (reason: string): void => {
      if (this.#hasEnded) return;
      this.#hasEnded = true;
      this.#gone.resolve();
      onEnd(reason);
    };
    this.#child.once('error', (error) => end(`it cannot be started: ${error.message}`));
    this.#child.once('exit', (code, signal) => setImmediate(() => end(words.afterEnd(code, signal))));
    this.#child.stdin.on('error', () => undefined);
    createInterface({ input: this.#child.stdout }).on('line', onLine);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Lets it end its answers and itself, and ends it where it does not. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const late = [
      setTimeout(() => this.#child.stdin.end(), STOP_MS),
      setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS + KILL_MS),
    ];
    await this.#gone.promise;
    this.#child.stdin.destroy();
    for (const timer of late) clearTimeout(timer);
  }
}
