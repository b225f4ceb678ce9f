import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, realpath, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { defaultCacheDir } from '../../scripts/install-postgres.mjs';
import { oneAtATime } from '../../scripts/one-at-a-time.mjs';
import { eventually } from '../fixtures/waiting.js';

const STARTED_MS = 300_000;
const ENDED_MS = 30_000;
const KEPT_OUTPUT = 8000;

interface Start {
  /** Name for messages. */
  name: string;
  command: string;
  args: string[];
  env?: Record<string, string>;
  cwd?: string;
  /** True once it answers. */
  ready: () => Promise<boolean>;
  /** Longest start; for tests of slow servers on busy machines. */
  startedMs?: number;
}

/** A server that a suite starts on loopback, and ends by its own process. */
export class PeerProcess {
  #output = '';

  private constructor(private readonly server: ChildProcess) {
    for (const stream of [server.stdout, server.stderr])
      stream?.on('data', (part: Buffer) => (this.#output = (this.#output + part.toString()).slice(-KEPT_OUTPUT)));
  }

  static async start({
    name,
    command,
    args,
    env = {},
    cwd,
    ready,
    startedMs = STARTED_MS,
  }: Start): Promise<PeerProcess> {
    const made = new PeerProcess(
      spawn(command, args, {
        ...(cwd === undefined ? {} : { cwd }),
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
    try {
      await eventually(`${name} answers`, () => made.#answers(ready), startedMs);
    } catch (error) {
      await made.stop();
      throw new Error(`${name} does not start; it wrote:\n${made.#output}`, { cause: error });
    }
    return made;
  }

  async #answers(ready: () => Promise<boolean>): Promise<boolean> {
    if (this.#hasEnded) throw new Error('it ended');
    return ready().catch(() => false);
  }

  get #hasEnded(): boolean {
    return this.server.exitCode !== null || this.server.signalCode !== null;
  }

  async stop(): Promise<void> {
    if (this.#hasEnded || this.server.pid === undefined) return;
    const ended = once(this.server, 'exit');
    const timer = setTimeout(() => this.server.kill('SIGKILL'), ENDED_MS);
    this.server.kill('SIGTERM');
    await ended;
    clearTimeout(timer);
  }
}

export const answersHttp = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(5000) }).then(({ ok }) => ok);

/** A folder of the cache that `install` fills, once over all processes; nothing is ever started in it. */
export async function installedPeer(name: string, install: (folder: string) => Promise<void>): Promise<string> {
  const target = join(defaultCacheDir(), name);
  const exists = (): Promise<boolean> =>
    access(target).then(
      () => true,
      () => false,
    );
  if (await exists()) return target;
  await oneAtATime(`${target}.lock`, {}, async () => {
    if (await exists()) return;
    await mkdir(dirname(target), { recursive: true });
    const work = await mkdtemp(`${target}.`);
    try {
      await install(work);
      await rename(work, target);
    } finally {
      await rm(work, { recursive: true, force: true, maxRetries: 5 });
    }
  });
  return target;
}

export async function temporaryFolder(name: string): Promise<string> {
  return realpath(await mkdtemp(join(tmpdir(), `clara-${name}-`)));
}
