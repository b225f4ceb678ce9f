import { execFile } from 'node:child_process';
import { readFile, readdir, stat } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface ProcessEntry {
  pid: number;
  parent: number;
  /** Differs for another process that got the same pid later. */
  startedAt: string;
  command: string;
}

const run = promisify(execFile);

/** The processes of this machine; zombies count as gone. */
export abstract class ProcessTable {
  abstract find(pid: number): Promise<ProcessEntry | null>;
  abstract list(): Promise<ProcessEntry[]>;
  /** False where that cannot be known. */
  abstract worksIn(pid: number, folder: string): Promise<boolean>;

  /** False when there is no such process. */
  signal(pid: number, signal: NodeJS.Signals): boolean {
    try {
      return process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
      throw error;
    }
  }

  /** Whether any process has this pid, a zombie or one of another user included. */
  taken(pid: number): boolean {
    try {
      return process.kill(pid, 0);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EPERM';
    }
  }

  static ofThisMachine(platform: string = process.platform): ProcessTable {
    if (platform === 'win32') return new TaskList();
    return platform === 'linux' ? new ProcFolder() : new PsProgram();
  }
}

/** Field 2 of stat is the name in parentheses and may itself hold spaces and parentheses, see proc(5). */
export function parseStat(text: string): { zombie: boolean; parent: number; startedAt: string } {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { zombie: /[ZX]/.test(fields[0] ?? 'X'), parent: Number(fields[1]), startedAt: fields[19] ?? '' };
}

export class ProcFolder extends ProcessTable {
  override async find(pid: number): Promise<ProcessEntry | null> {
    try {
      const { zombie, parent, startedAt } = parseStat(await readFile(`/proc/${pid}/stat`, 'utf8'));
      if (zombie) return null;
      const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim();
      return { pid, parent, startedAt, command };
    } catch {
      return null;
    }
  }

  override async list(): Promise<ProcessEntry[]> {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
    const found = await Promise.all(pids.map((pid) => this.find(pid)));
    return found.filter((entry) => entry !== null);
  }

  override async worksIn(pid: number, folder: string): Promise<boolean> {
    try {
      const [theirs, ours] = await Promise.all([stat(`/proc/${pid}/cwd`), stat(folder)]);
      return theirs.ino === ours.ino && theirs.dev === ours.dev;
    } catch {
      return false;
    }
  }
}

/** Columns pid, ppid, state, start (five words), command. */
export function parsePs(text: string): ProcessEntry[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\S+\s+[\d:]+\s+\d+)\s+(.*)$/.exec(line);
    const [, pid, parent, state, startedAt, command] = match ?? [];
    if (!pid || !parent || !startedAt || state?.startsWith('Z')) return [];
    return [{ pid: Number(pid), parent: Number(parent), startedAt, command: command?.trim() ?? '' }];
  });
}

/** For systems without /proc. */
export class PsProgram extends ProcessTable {
  override async find(pid: number): Promise<ProcessEntry | null> {
    return (await this.ps('-p', String(pid)))[0] ?? null;
  }

  override async list(): Promise<ProcessEntry[]> {
    return this.ps('-ax');
  }

  override async worksIn(): Promise<boolean> {
    return false;
  }

  private async ps(...which: string[]): Promise<ProcessEntry[]> {
    const columns = ['-ww', '-o', 'pid=', '-o', 'ppid=', '-o', 'stat=', '-o', 'lstart=', '-o', 'command='];
    try {
      const { stdout } = await run('ps', [...columns, ...which], {
        env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' },
        timeout: 5000,
      });
      return parsePs(stdout);
    } catch (error) {
      // 1: no process matched. Anything else must not read as "it is dead".
      if ((error as { code?: unknown }).code === 1) return [];
      throw error;
    }
  }
}

/** Windows tells neither arguments nor parents at a bearable price; PostgreSQL's own lock guards the folder there. */
class TaskList extends ProcessTable {
  override async find(pid: number): Promise<ProcessEntry | null> {
    const { stdout } = await run('tasklist', ['/FO', 'CSV', '/NH', '/FI', `PID eq ${pid}`], { timeout: 5000 });
    const [, command] = /^"([^"]+)","\d+"/m.exec(stdout) ?? [];
    return command ? { pid, parent: 0, startedAt: '', command } : null;
  }

  override async list(): Promise<ProcessEntry[]> {
    return [];
  }

  override async worksIn(pid: number): Promise<boolean> {
    return (await this.find(pid))?.command.startsWith('postgres') ?? false;
  }
}
