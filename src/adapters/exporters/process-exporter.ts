import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { maskPatterns } from '../../kernel/secret-mask.js';
import { AdapterExporter, ExportFailed, type ExportRequest } from '../../modules/adapters/exporter.port.js';
import { trainingEnvironment } from '../launchers/child-environment.js';
import { LastWords } from '../launchers/last-words.js';

interface ExporterPlace {
  python: () => string;
  /** Folder of the trainer package. */
  trainer: string;
  /** Cores that an export may keep busy. */
  threads: number;
  environment: Readonly<Record<string, string | undefined>>;
}

interface Word {
  phase?: unknown;
  progress?: unknown;
  done?: unknown;
  failed?: { message?: unknown };
}

/** Runs `python -m clara_trainer.export`. */
export class ProcessExporter extends AdapterExporter {
  constructor(private readonly place: ExporterPlace) {
    super();
  }

  async run(
    request: ExportRequest,
    report: (phase: string, progress: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    const child = this.#start(request);
    const kill = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', kill, { once: true });
    try {
      const end = await endOf(child, report);
      signal.throwIfAborted();
      if (!end.done) throw new ExportFailed(end.reason);
    } finally {
      signal.removeEventListener('abort', kill);
    }
  }

  #start({ base, adapter, out, name, format }: ExportRequest): ChildProcessByStdio<Writable, Readable, Readable> {
    const { python, trainer, threads, environment } = this.place;
    const places = ['--base', base, '--adapter', adapter, '--out', out];
    return spawn(python(), ['-m', 'clara_trainer.export', ...places, '--name', name, '--format', format], {
      env: {
        ...trainingEnvironment(environment),
        PYTHONPATH: join(trainer, 'src'),
        CLARA_THREADS: String(threads),
        HF_HUB_OFFLINE: '1',
        CUDA_VISIBLE_DEVICES: '',
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }
}

/** Reads what it says until nothing of it is left. */
async function endOf(
  child: ChildProcessByStdio<Writable, Readable, Readable>,
  report: (phase: string, progress: number) => void,
): Promise<{ done: boolean; reason: string }> {
  const words = new LastWords(child.stderr);
  let failed: string | undefined;
  let done = false;
  child.stdin.on('error', () => undefined);
  createInterface({ input: child.stdout }).on('line', (line) => {
    const word = wordOf(line);
    if (typeof word.phase === 'string' && typeof word.progress === 'number') report(word.phase, word.progress);
    if (typeof word.failed?.message === 'string') failed = word.failed.message;
    done ||= word.done === true;
  });
  const code = await new Promise<number | string | null>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (status, signal) => resolve(signal ?? status));
  });
  return { done: done && code === 0, reason: maskPatterns(failed ?? `The export ended (${code}): ${words.line}`) };
}

function wordOf(line: string): Word {
  try {
    return (JSON.parse(line) ?? {}) as Word;
  } catch {
    return {};
  }
}
