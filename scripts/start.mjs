#!/usr/bin/env node
// `npm start`: makes what is missing, then runs the application in the foreground.
import { fileURLToPath } from 'node:url';
import { endLike, passSignals, spawnApplication } from './application.mjs';
import { prepare } from './prepare.mjs';
import { orShowProblem } from './problem.mjs';
import { findPython } from './python.mjs';

/** @param {NodeJS.ProcessEnv} env */
export async function start(env) {
  await prepare();
  const child = spawnApplication(await withPython(env), ['ignore', 'inherit', 'inherit']);
  passSignals(child);
  await endLike(child);
}

/**
 * Where `python3` is too old and a newer one has another name. None at all is no reason not to start: jobs wait and say so.
 * @param {NodeJS.ProcessEnv} env
 */
export async function withPython(env) {
  const python = await findPython(env).catch(() => env.CLARA_PYTHON);
  return python ? { ...env, CLARA_PYTHON: python } : env;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await orShowProblem(() => start(process.env));
