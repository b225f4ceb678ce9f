import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { installerEnvironment } from './child-environment.js';
import type { Log } from '../../kernel/log.js';
import { messageOf } from '../../kernel/errors.js';
import { maskPatterns } from '../../kernel/secret-mask.js';
import { TrainerEnvironment, type EnvironmentStatus } from '../../modules/training/trainer-environment.port.js';

export interface InstallationPaths {
  /** Python that the environment is made with. */
  python: string;
  /** Folder of the trainer package. */
  trainer: string;
  cache: string;
  /** CLARA_BASE_MODEL; undefined: make the small one. */
  baseModel: string | undefined;
}

interface Progress {
  phase?: string;
  message?: string;
  done?: boolean;
  error?: string;
  python?: string;
  model?: string;
}

const FIRST_RETRY_MS = 5000;
const LONGEST_RETRY_MS = 300_000;

/** Fills the install cache in the background; a failure (no network, full disk) is tried again, with growing pauses. */
export class TrainerInstallation extends TrainerEnvironment {
  #status: EnvironmentStatus = { ready: false, reason: 'the trainer environment is being looked for' };
  #python: string | undefined;
  #model: string | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #stop = new AbortController();

  constructor(
    private readonly paths: InstallationPaths,
    private readonly environment: Readonly<Record<string, string | undefined>>,
    private readonly log: Log,
  ) {
    super();
  }

  status(): EnvironmentStatus {
    return this.#status;
  }

  defaultModel(): string | undefined {
    return this.#model;
  }

  /** Python of the environment. Throws while it is not ready. */
  python(): string {
    if (this.#python === undefined) throw new Error('the trainer environment is not ready');
    return this.#python;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  start(): void {
    void this.#fill();
  }

  close(): void {
    this.#stop.abort();
  }

  async #fill(): Promise<void> {
    for (let pause = FIRST_RETRY_MS; !this.#stop.signal.aborted; pause = Math.min(pause * 2, LONGEST_RETRY_MS)) {
      try {
        await this.#install();
        this.#set({ ready: true });
        return;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.log.error('the trainer could not be installed; trying again', {
          error: messageOf(error),
          seconds: pause / 1000,
        });
        this.#set({ ready: false, reason: `installing the trainer failed (${messageOf(error)}); trying again` });
        await new Promise((resolve) => setTimeout(resolve, pause).unref());
      }
    }
  }

  async #install(): Promise<void> {
    const { python, trainer, cache, baseModel } = this.paths;
    const installed = await this.#run(python, [join(trainer, 'install.py'), '--cache', cache], {});
    this.#python = installed.python;
    if (baseModel !== undefined) {
      this.#model = baseModel;
      return;
    }
    const made = await this.#run(this.python(), ['-m', 'clara_trainer.base_model', '--out', join(cache, 'models')], {
      PYTHONPATH: join(trainer, 'src'),
    });
    this.#model = made.model;
  }

  /** Runs a command that prints JSON lines, and answers its last one. */
  async #run(command: string, args: string[], env: Record<string, string>): Promise<Progress> {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...installerEnvironment(this.environment), ...env },
      signal: this.#stop.signal,
    });
    let last: Progress = {};
    let complaint = '';
    child.stderr.on('data', (part: Buffer) => (complaint = (complaint + part.toString()).slice(-2000)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      last = parse(line) ?? last;
      if (last.message && !last.done) this.#set({ ready: false, reason: last.message });
    });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code === 0 && last.done) return last;
    // An index may be named with a password in its address, and the reason is shown to everybody.
    const reason = last.error
      ? (last.message ?? last.error)
      : `${args[0]} ended with code ${code}: ${complaint.trim()}`;
    throw new Error(maskPatterns(reason));
  }

  #set(status: EnvironmentStatus): void {
    const before = JSON.stringify(this.#status);
    this.#status = status;
    if (JSON.stringify(status) === before) return;
    this.log.info(
      status.ready ? 'the trainer is ready' : 'the trainer is being installed',
      status.ready ? {} : { reason: status.reason },
    );
    for (const listener of this.#listeners) listener();
  }
}

function parse(line: string): Progress | undefined {
  try {
    return JSON.parse(line) as Progress;
  } catch {
    return undefined;
  }
}
