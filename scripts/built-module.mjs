import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './root.mjs';

/**
 * Loads a module of the built application.
 * @param {string} path below dist/
 * @returns {Promise<any>}
 */
export const builtModule = (path) => import(pathToFileURL(join(root, 'dist', path)).href);
