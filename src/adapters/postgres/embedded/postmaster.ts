import { spawn } from 'node:child_process';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './deadline.js';
import type { Identity } from './identity.js';
import { commandAs } from './identity.js';
import type { PostmasterPid } from './postmaster-pid.js';
import { parsePostmasterPid } from './postmaster-pid.js';
import type { ProcessEntry, ProcessTable } from './process-table.js';
import { serverEnvironment, userOf } from './program.js';
import { clusterName, SOCKET_PORT, socketFolder } from './socket-folder.js';

/** The main server process of one data folder, which only its pid and start time tell from others. */
export interface Postmaster {
  pid: number;
  startedAt: string;
}

export type PostmasterState =
  | { kind: 'absent' }
  /** Its file is there, it is not. */
  | { kind: 'stale'; pid: number }
  | { kind: 'alive'; postmaster: Postmaster; file: PostmasterPid };

const IS_POSTGRES = /postgres(\.exe)?( |$)/;
const POLL_MS = 10;
const LOG_LIMIT = 10 * 1024 * 1024;

export class PostmasterControl {
  private readonly pidFile: string;
  private readonly logFile: string;

  constructor(
    private readonly dataDir: string,
    private readonly clusterDir: string,
    private readonly processes: ProcessTable,
  ) {
    this.pidFile = join(clusterDir, 'postmaster.pid');
    this.logFile = join(dataDir, 'postgres.log');
  }

  async inspect(): Promise<PostmasterState> {
    const file = parsePostmasterPid(await this.readPidFile());
    if (!file) return { kind: 'absent' };
    const entry = await this.processes.find(file.pid);
    if (!entry || !(await this.isOurs(entry))) return { kind: 'stale', pid: file.pid };
    return { kind: 'alive', postmaster: { pid: entry.pid, startedAt: entry.startedAt }, file };
  }

  private async readPidFile(): Promise<string> {
    return readFile(this.pidFile, 'utf8').catch(() => '');
  }

  /** A postmaster of this very folder, and not another process that got the pid of a dead one. */
  private async isOurs({ pid, command }: ProcessEntry): Promise<boolean> {
    if (!IS_POSTGRES.test(command)) return false;
    return command.endsWith(` -D ${this.clusterDir}`) || (await this.processes.worksIn(pid, this.clusterDir));
  }

  async isAlive({ pid, startedAt }: Postmaster): Promise<boolean> {
    return (await this.processes.find(pid))?.startedAt === startedAt;
  }

  /** After a kill -9 of the postmaster: its backends must be gone before the next one starts. */
  async clearRemains(state: PostmasterState): Promise<void> {
    await this.clearSocketLock();
    if (state.kind !== 'stale') return;
    await this.endOrphans();
    // PostgreSQL refuses to start while any process has that pid, whosever it is; a dead pid it handles itself.
    if (!this.processes.taken(state.pid) || parsePostmasterPid(await this.readPidFile())?.pid !== state.pid) return;
    await rm(this.pidFile, { force: true });
  }

  /**
   * A server that ended where its folder was moved, or that nobody reaps, leaves its lock. PostgreSQL takes a zombie,
   * and whoever got the pid since, for its owner.
   */
  private async clearSocketLock(): Promise<void> {
    const { folder } = socketFolder(this.dataDir, process.platform, process.getuid?.() ?? 0);
    const lock = join(folder, `.s.PGSQL.${SOCKET_PORT}.lock`);
    const pid = Number.parseInt(await readFile(lock, 'utf8').catch(() => ''), 10);
    if (Number.isNaN(pid) || !this.processes.taken(pid)) return;
    const owner = await this.processes.find(pid);
    if (!owner || !IS_POSTGRES.test(owner.command)) await rm(lock, { force: true });
  }

  /** They notice the death themselves within a moment, unless they are busy. */
  private async endOrphans(): Promise<void> {
    const gone = async () => ((await this.orphans()).length === 0 ? true : undefined);
    if (await until(gone, { timeoutMs: 500, everyMs: 20 })) return;
    for (const { pid } of await this.orphans()) this.processes.signal(pid, 'SIGKILL');
    await until(gone, { timeoutMs: 2000, everyMs: 20 });
  }

  private async orphans(): Promise<ProcessEntry[]> {
    return orphansOf(await this.processes.list(), clusterName(this.dataDir), this.clusterDir);
  }

  /** Starts the server in a session of its own; it writes into a file, so it outlives this process. */
  async launch(binDir: string, identity: Identity): Promise<Launch> {
    await this.rotateLog();
    const log = await open(this.logFile, 'a', 0o600);
    try {
      const logStart = (await log.stat()).size;
      const command = commandAs(identity, join(binDir, 'postgres'), ['-D', this.clusterDir]);
      const child = spawn(command.file, command.args, {
        ...userOf(command),
        env: serverEnvironment(),
        cwd: '/',
        detached: true,
        windowsHide: true,
        stdio: ['ignore', log.fd, log.fd],
      });
      const launch: Launch = { pid: child.pid, ended: undefined, words: () => this.lastWords(logStart) };
      child.on('error', (error) => (launch.ended = error.message));
      child.on('exit', (code, signal) => (launch.ended = `exit ${signal ?? code}`));
      child.unref();
      return launch;
    } finally {
      await log.close();
    }
  }

  private async rotateLog(): Promise<void> {
    const size = await stat(this.logFile).then(
      (facts) => facts.size,
      () => 0,
    );
    if (size > LOG_LIMIT) await rename(this.logFile, `${this.logFile}.1`);
  }

  private async lastWords(from: number): Promise<string> {
    const text = (await readFile(this.logFile)).subarray(from).toString();
    return text.trim().split('\n').slice(-8).join('\n');
  }

  /** Fast shutdown; when that takes too long an immediate one, which the next start recovers from; then by force. */
  async shutdown(postmaster: Postmaster): Promise<void> {
    const steps = [
      ['SIGINT', 5000],
      ['SIGQUIT', 1000],
      ['SIGKILL', 1000],
    ] as const;
    for (const [signal, timeoutMs] of steps) {
      if (!(await this.isAlive(postmaster))) break;
      this.processes.signal(postmaster.pid, signal);
      const gone = async () => ((await this.isAlive(postmaster)) ? undefined : true);
      if (await until(gone, { timeoutMs, everyMs: POLL_MS })) break;
    }
    if ((await this.inspect()).kind === 'stale') await this.endOrphans();
  }
}

/** A server that was just started; `ended` is set when it is no more. */
export interface Launch {
  pid: number | undefined;
  ended: string | undefined;
  words(): Promise<string>;
}

/** Processes of a cluster whose postmaster is dead: they carry its name in their title, and have another parent now. */
export function orphansOf(processes: ProcessEntry[], name: string, clusterDir: string): ProcessEntry[] {
  const postmasters = new Set(
    processes.filter(({ command }) => command.endsWith(` -D ${clusterDir}`)).map(({ pid }) => pid),
  );
  return processes.filter(
    ({ command, parent }) => command.startsWith(`postgres: ${name}: `) && !postmasters.has(parent),
  );
}
