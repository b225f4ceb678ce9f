import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const KEPT_CHARACTERS = 200_000;

/**
 * Runs a program to its end. An exit status never rejects; a program that cannot be started has code null.
 * @param {string} command
 * @param {string[]} args
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv, onLine?: (line: string) => void, signal?: AbortSignal}} [options]
 *   onLine: called with each line of stdout and stderr
 * @returns {Promise<{code: number | null, output: string}>} output: the end of stdout and stderr together
 */
export function runProgram(command, args, { cwd, env, onLine, signal } = {}) {
  return new Promise((done) => {
    const shell = process.platform === 'win32' && command === 'npm';
    const child = spawn(command, args, {
      cwd,
      env: env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
      shell,
    });
    let output = '';
    const keep = (/** @type {string} */ line) => {
      output = `${output}${line}\n`.slice(-KEPT_CHARACTERS);
      onLine?.(line);
    };
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', keep);
    child.on('error', (error) => done({ code: null, output: output + error.message }));
    child.on('close', (code) => done({ code, output }));
  });
}

/**
 * @param {string} output
 * @param {number} count
 */
export const lastLines = (output, count) => output.trimEnd().split('\n').slice(-count).join('\n');

/** @param {number} since milliseconds, as Date.now() gives them */
export const secondsSince = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;
