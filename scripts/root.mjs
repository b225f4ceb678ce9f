import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder; relative settings start from it. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @param {NodeJS.ProcessEnv} [env] */
export function cacheFolder(env = process.env) {
  if (env.CLARA_CACHE_DIR) return resolve(root, env.CLARA_CACHE_DIR);
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'clara');
}
