import { execFile, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../host/free-port.js';
import { Launcher, type LaunchOptions } from '../../modules/training/launcher.port.js';
import type { RunFile } from '../../modules/training/run-contract.generated.js';
import type { RunFolder } from '../../modules/training/run-folder.js';
import { trainingEnvironment } from './child-environment.js';
import { usageOfGroup } from './process-usage.js';

const run = promisify(execFile);
const PROBE_TIMEOUT_MS = 10_000;
const KILL_TIMEOUT_MS = 20_000;

export interface TrainerPaths {
  /** Python of the trainer's environment. */
  python: string;
  /** Folder of the trainer package (`trainer/`). */
  trainer: string;
}

/** Trains on this host: launch.py in a session of its own, which runs `accelerate launch -m clara_trainer`. */
export class LocalLauncher extends Launcher {
  constructor(
    private readonly paths: () => TrainerPaths,
    private readonly environment: Readonly<Record<string, string | undefined>>,
    private readonly visibleDevices: (gpus: readonly number[]) => string,
  ) {
    super();
  }

  async submit(folder: RunFolder, runFile: RunFile, options: LaunchOptions): Promise<void> {
    const { python } = this.paths();
    const worker = await accelerateCommand(python, folder, runFile);
    const log = await open(folder.log, 'a', 0o600);
    try {
      const args = [
        '-I',
        '-S',
        this.#script(),
        'start',
        '--run',
        folder.path,
        '--fence',
        String(runFile.fence),
        '--',
        ...worker,
      ];
      const child = spawn(python, args, {
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
        cwd: folder.path,
        env: this.#env(runFile, options.threads),
      });
      child.once('exit', options.onExit);
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', reject);
      });
      child.unref();
    } finally {
      await log.close();
    }
  }

  async find(folder: RunFolder): Promise<{ alive: boolean }> {
    const { stdout } = await this.#script_run(['probe', folder.job], PROBE_TIMEOUT_MS);
    return { alive: (JSON.parse(stdout) as { held: boolean }).held };
  }

  async signal(folder: RunFolder, signal: 'TERM' | 'KILL'): Promise<{ alive: boolean }> {
    const { stdout } = await this.#script_run(['signal', '--run', folder.path, signal], KILL_TIMEOUT_MS);
    return { alive: (JSON.parse(stdout) as { held: boolean }).held };
  }

  async usage(folder: RunFolder): Promise<{ cpuPercent: number; memoryBytes: number } | undefined> {
    const launcher = await folder.launcher();
    return launcher ? usageOfGroup(launcher.pid) : undefined;
  }

  #script(): string {
    return join(this.paths().trainer, 'src', 'clara_trainer', 'launch.py');
  }

  #script_run(args: string[], timeout: number): Promise<{ stdout: string }> {
    return run(this.paths().python, ['-I', '-S', this.#script(), ...args], {
      timeout,
      env: trainingEnvironment(this.environment),
    });
  }

  #env(runFile: RunFile, threads: number): Record<string, string> {
    const { gpus } = runFile.hardware;
    return {
      ...trainingEnvironment(this.environment),
      PYTHONPATH: join(this.paths().trainer, 'src'),
      PYTHONUNBUFFERED: '1',
      CLARA_THREADS: String(threads),
      CUDA_VISIBLE_DEVICES: this.visibleDevices(gpus),
      ...(gpus.length === 0 ? { ACCELERATE_USE_CPU: 'true' } : {}),
    };
  }
}

/** The command that trains a run folder; the same by hand as here. */
async function accelerateCommand(python: string, folder: RunFolder, runFile: RunFile): Promise<string[]> {
  const { processes } = runFile.hardware;
  const several = processes > 1 ? ['--multi_gpu', '--main_process_port', String(await freePort())] : [];
  const launch = ['-m', 'accelerate.commands.launch', '--num_processes', String(processes), '--num_machines', '1'];
  const plain = ['--mixed_precision', 'no', '--dynamo_backend', 'no'];
  return [python, ...launch, ...several, ...plain, '-m', 'clara_trainer', '--run', folder.path];
}
