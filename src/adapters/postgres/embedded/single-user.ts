import { join } from 'node:path';
import type { Login } from './embedded-postgres.types.js';
import type { Identity } from './identity.js';
import { commandAs } from './identity.js';
import { runProgram } from './program.js';

interface Session {
  binDir: string;
  clusterDir: string;
  identity: Identity;
  signal?: AbortSignal | undefined;
}

const DEADLINE_MS = 120_000;
// Many rounds protect weak passwords and cost each connection; ours have 256 bits. A statement that fails holds one.
const SETTINGS = ['scram_iterations=256', 'log_checkpoints=off', 'log_min_error_statement=panic'];

/** Runs statements, each on one line, as the superuser, whom nobody can log in as. What went wrong, undefined: nothing. */
export async function runSingleUser(
  { binDir, clusterDir, identity, signal }: Session,
  statements: string[],
): Promise<string | undefined> {
  const args = ['--single', ...SETTINGS.flatMap((setting) => ['-c', setting]), '-D', clusterDir, 'template1'];
  const command = commandAs(identity, join(binDir, 'postgres'), args);
  const input = `${statements.join('\n')}\n`;
  const { code, output } = await runProgram(command, { timeoutMs: DEADLINE_MS, input, signal });
  signal?.throwIfAborted();
  // Single-user mode goes on after an error and ends with code 0.
  if (code === 0 && !/^.*(ERROR|FATAL|PANIC): /m.test(output)) return undefined;
  return `postgres, code ${code}: ${output.trim()}`;
}

/** The role of the application: it owns nothing, and what it may do is granted table by table. */
export const roleOfApplication = ({ user, password }: Login): string[] => [
  // A start that was killed here before may have left it.
  `do $$ begin create role ${user}; exception when duplicate_object then null; end $$`,
  `alter role ${user} login nosuperuser nocreatedb nocreaterole password '${password}'`,
];
