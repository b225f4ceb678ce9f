import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { applicationFlags } from './application-flags.mjs';
import { root } from './root.mjs';

const SAME_KEY_PRESS_MS = 1000;

/**
 * Starts the built application as a child.
 * @param {NodeJS.ProcessEnv} env
 * @param {import('node:child_process').StdioOptions} stdio
 */
export function spawnApplication(env, stdio) {
  // A group of its own: a Ctrl-C reaches it once, from here, and not also from the terminal and from npm.
  const detached = process.platform !== 'win32';
  return spawn(process.execPath, [...applicationFlags, join(root, 'dist', 'src', 'main.js')], {
    cwd: root,
    env,
    stdio,
    detached,
  });
}

/**
 * Passes signals on to a child of a group of its own.
 * @param {import('node:child_process').ChildProcess} child
 */
export function passSignals(child) {
  let last = 0;
  process.on('SIGINT', () => {
    // The terminal and npm both send one key press.
    const again = Date.now() - last < SAME_KEY_PRESS_MS;
    last = Date.now();
    if (!again && process.platform !== 'win32') child.kill('SIGINT');
  });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  // A closed terminal is no wish to end the trainings.
  process.on('SIGHUP', () => child.kill('SIGTERM'));
}

/**
 * Waits for the child and ends this process as it ended.
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<void>}
 */
export function endLike(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.removeAllListeners(name);
      if (signal) process.kill(process.pid, signal);
      else process.exitCode = code ?? 1;
      resolve();
    });
  });
}
