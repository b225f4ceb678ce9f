import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, readdir, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RunFile, WorkerEvent } from './run-contract.generated.js';

/** How a launcher's child ended, as the launcher wrote it. */
export interface ExitRecord {
  code: number | null;
  signal: string | null;
  time: string;
}

export type StopReason = 'cancel' | 'pause' | 'shutdown' | 'time_limit';

const LONGEST_LINE = 1024 * 1024;
const CHUNK = 256 * 1024;
const TAIL_BYTES = 16 * 1024;

const absent = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Writes a file so that a reader sees all of it or nothing. */
async function writeWhole(path: string, text: string): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  const file = await open(partial, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, path);
}

/** The folder of one attempt: the contract between the application and whatever trains. */
export class RunFolder {
  constructor(readonly path: string) {}

  static of(dataFolder: string, jobId: string, attempt: number): RunFolder {
    return new RunFolder(join(dataFolder, 'runs', jobId, String(attempt)));
  }

  get job(): string {
    return dirname(this.path);
  }
  /** The data folder it lies in, whichever application's that is. */
  get data(): string {
    return dirname(dirname(this.job));
  }
  get log(): string {
    return join(this.path, 'worker.log');
  }
  get events(): string {
    return join(this.path, 'events.jsonl');
  }

  /** Writes run.json and raises the fence: a launcher with a lower number refuses to start from now on. */
  async prepare(run: RunFile): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    await this.raiseFence(run.fence);
    await this.touchHeartbeat();
    await writeWhole(join(this.path, 'run.json'), JSON.stringify(run, null, 2));
  }

  async raiseFence(fence: number): Promise<void> {
    await mkdir(this.job, { recursive: true, mode: 0o700 });
    const path = join(this.job, 'fence');
    const present = Number(await readFile(path, 'utf8').catch(() => '0'));
    if (fence > present) await writeWhole(path, String(fence));
  }

  /** Tells a worker that somebody supervises it. */
  async touchHeartbeat(): Promise<void> {
    const path = join(this.job, 'heartbeat');
    const now = new Date();
    await utimes(path, now, now).catch(() => writeFile(path, '', { mode: 0o600 }));
  }

  async wishStop(reason: StopReason): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    await writeWhole(join(this.path, 'stop.json'), JSON.stringify({ reason }));
  }

  exit(): Promise<ExitRecord | undefined> {
    return this.#json<ExitRecord>('exit.json');
  }

  run(): Promise<RunFile | undefined> {
    return this.#json<RunFile>('run.json');
  }

  launcher(): Promise<{ pid: number } | undefined> {
    return this.#json<{ pid: number }>('launcher.json');
  }

  /**
   * Whole lines of events.jsonl behind `offset`, at most about 256 KiB of them; a half-written last line is left alone.
   * @returns the events and the offset behind them
   */
  async readEvents(offset: number): Promise<{ events: WorkerEvent[]; offset: number }> {
    const file = await open(this.events, 'r').catch((error: unknown) =>
      absent(error) ? undefined : Promise.reject(error),
    );
    if (!file) return { events: [], offset };
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(CHUNK), 0, CHUNK, offset);
      const end = buffer.subarray(0, bytesRead).lastIndexOf(0x0a) + 1;
      if (end === 0 && bytesRead === CHUNK) return await this.#longLine(offset);
      return { events: parseLines(buffer.subarray(0, end).toString()), offset: offset + end };
    } finally {
      await file.close();
    }
  }

  /** The checkpoints of all attempts of the job. */
  async checkpoints(): Promise<string[]> {
    const paths = await readdir(this.job, { recursive: true });
    return paths.filter((path) => /^\d+\/checkpoints\/checkpoint-\d+$/.test(path)).map((path) => join(this.job, path));
  }

  /** The last lines that the worker and its launcher printed. */
  async logTail(bytes = TAIL_BYTES): Promise<string> {
    const file = await open(this.log, 'r').catch(() => undefined);
    if (!file) return '';
    try {
      const { size } = await file.stat();
      const length = Math.min(size, bytes);
      const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
      return buffer.toString('utf8').replace(/^\uFFFD+/, '');
    } finally {
      await file.close();
    }
  }

  async #longLine(offset: number): Promise<{ events: WorkerEvent[]; offset: number }> {
    const parts: Buffer[] = [];
    for await (const part of createReadStream(this.events, { start: offset, end: offset + LONGEST_LINE }))
      parts.push(part as Buffer);
    const text = Buffer.concat(parts);
    const end = text.indexOf(0x0a) + 1;
    if (end === 0 && text.length > LONGEST_LINE)
      throw new Error(`a line of ${this.events} is longer than ${LONGEST_LINE} bytes`);
    return { events: parseLines(text.subarray(0, end).toString()), offset: offset + end };
  }

  async #json<T>(name: string): Promise<T | undefined> {
    const text = await readFile(join(this.path, name), 'utf8').catch((error: unknown) =>
      absent(error) ? undefined : Promise.reject(error),
    );
    return text === undefined ? undefined : (JSON.parse(text) as T);
  }
}

const parseLines = (text: string): WorkerEvent[] =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as WorkerEvent);

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
