import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines, runProgram } from '../scripts/program.mjs';
import { findPython } from '../scripts/python.mjs';
import { cacheFolder, root } from '../scripts/root.mjs';
import { cleanEnvironment, freePorts, stopProcess, untilHealthy } from './application.mjs';

const HERE = join(root, 'bench', 'peer');

/** @param {string} command @param {string[]} args */
async function must(command, args) {
  const { code, output } = await runProgram(command, args);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${lastLines(output, 12)}`);
}

/** The uv that the trainer's installer keeps in the cache; undefined where there is none. */
export function cachedUv() {
  const found = existsSync(cacheFolder())
    ? readdirSync(cacheFolder()).find((name) => /^uv-[0-9a-f]+$/.test(name))
    : undefined;
  const uv = found && join(cacheFolder(), found, 'bin', 'uv');
  return uv && existsSync(uv) ? uv : undefined;
}

/**
 * Makes the peers' environment in the cache, once per list of packages.
 * @param {string} list a file of bench/peer
 * @returns {Promise<string>} its Python
 */
export async function installPeer(list = 'requirements.txt') {
  const requirements = join(HERE, list);
  const folder = join(
    cacheFolder(),
    `bench-peer-${createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12)}`,
  );
  const python = join(folder, 'bin', 'python');
  if (existsSync(join(folder, '.complete'))) return python;
  rmSync(folder, { recursive: true, force: true });
  await must(await findPython(), ['-m', 'venv', folder]);
  const uv = cachedUv();
  if (uv) await must(uv, ['pip', 'install', '-q', '--python', python, '-r', requirements]);
  else await must(python, ['-m', 'pip', 'install', '-q', '-r', requirements]);
  writeFileSync(join(folder, '.complete.partial'), '');
  renameSync(join(folder, '.complete.partial'), join(folder, '.complete'));
  return python;
}

/**
 * Starts one uvicorn process.
 * @param {{app: 'database' | 'memory', python: string, folder: string, env: Record<string, string>}} options
 */
export async function startPeer({ app, python, folder, env }) {
  const [port] = await freePorts(1);
  const output = openSync(join(folder, `${app}.out`), 'a');
  const args = ['-m', 'uvicorn', `${app}:app`, '--port', String(port), '--no-access-log', '--log-level', 'warning'];
  const child = spawn(python, args, {
    cwd: HERE,
    env: { ...cleanEnvironment(), ...env },
    stdio: ['ignore', output, output],
  });
  const url = `http://127.0.0.1:${port}`;
  await untilHealthy(url, child).catch(async (error) => {
    await stopProcess(child);
    throw new Error(
      `the peer did not start: ${error.message}\n${readFileSync(join(folder, `${app}.out`), 'utf8').slice(-2000)}`,
    );
  });
  return { url, pid: child.pid, stop: () => stopProcess(child) };
}

/** The same server by SQLAlchemy's address. */
export const asPeerDatabase = ({ host, port, user, password, database }) => ({
  PEER_DATABASE: `postgresql+asyncpg://${user}:${encodeURIComponent(password)}@/${database}?host=${encodeURIComponent(host)}&port=${port}`,
});
