import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { Command } from './identity.js';

interface ProgramResult {
  /** null: it could not be started, or was ended at the deadline. */
  code: number | null;
  output: string;
}

interface ProgramOptions {
  timeoutMs: number;
  cwd?: string;
  input?: string;
  signal?: AbortSignal | undefined;
}

/** PostgreSQL reads PGPORT and PGDATA, and has no business with our secrets: it gets an environment of its own. */
export function serverEnvironment(): NodeJS.ProcessEnv | undefined {
  if (process.platform === 'win32') return undefined;
  return { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

/** The user to change to, as spawn wants it. */
export const userOf = ({ uid, gid }: Command): { uid?: number; gid?: number } => ({
  ...(uid === undefined ? {} : { uid }),
  ...(gid === undefined ? {} : { gid }),
});

/** Runs a short program to its end and returns what it said. */
export function runProgram(command: Command, options: ProgramOptions): Promise<ProgramResult> {
  return new Promise((done) => {
    let output = '';
    const child = start(command, options);
    const deadline = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs);
    const finish = (code: number | null) => {
      clearTimeout(deadline);
      done({ code, output });
    };
    const keep = (chunk: Buffer | string) => (output = (output + chunk.toString()).slice(-8000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => {
      keep(error.message);
      finish(null);
    });
    child.on('close', finish);
    // It may end before it has read everything; its exit code tells.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}

function start(command: Command, { cwd = '/', signal }: ProgramOptions): ChildProcessWithoutNullStreams {
  return spawn(command.file, command.args, { ...userOf(command), env: serverEnvironment(), cwd, signal });
}
