import { opendir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { AppError } from '../../kernel/errors.js';

const DEEPEST = 32;

/**
 * The folder as it really is, where it lies inside of one of the roots.
 * @throws AppError `bad_request` or `not_found`
 */
export async function allowedFolder(asked: string, roots: readonly string[]): Promise<string> {
  if (roots.length === 0)
    throw new AppError('bad_request', 'Folders of this host are not taken in: CLARA_DOCUMENT_DIRS names none');
  if (!isAbsolute(asked) || asked.includes('\0'))
    throw new AppError('bad_request', `"${asked.slice(0, 200)}" is no absolute path`);
  const outside = new AppError('bad_request', `"${asked.slice(0, 200)}" lies outside of CLARA_DOCUMENT_DIRS`);
  const real = await realpath(asked).catch(() => undefined);
  if (real === undefined) {
    // Whether something exists elsewhere is nobody's business.
    if (!roots.some((root) => isInside(asked, root))) throw outside;
    throw new AppError('not_found', `There is no folder "${asked.slice(0, 200)}"`);
  }
  const realRoots = await Promise.all(roots.map((root) => realpath(root).catch(() => root)));
  if (!realRoots.some((root) => isInside(real, root))) throw outside;
  if (!(await stat(real)).isDirectory())
    throw new AppError('bad_request', `"${asked.slice(0, 200)}" is no folder; upload single files instead`);
  return real;
}

function isInside(path: string, root: string): boolean {
  const way = relative(root, path);
  return way === '' || (!way.startsWith(`..${sep}`) && way !== '..' && !isAbsolute(way));
}

/** Regular files below a folder, in order of their names; links are not followed, names that begin with a dot are left out. */
export async function* filesBelow(folder: string, depth = 0): AsyncIterable<string> {
  if (depth > DEEPEST) return;
  const entries = [];
  for await (const entry of await opendir(folder)) if (!entry.name.startsWith('.')) entries.push(entry);
  for (const entry of entries.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isFile()) yield path;
    else if (entry.isDirectory()) yield* filesBelow(path, depth + 1);
  }
}
