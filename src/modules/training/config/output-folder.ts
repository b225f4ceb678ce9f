import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { PathError } from '../../../kernel/safe-path.js';

const PART = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]{0,99}$/u;
const MOST_PARTS = 5;

/** Folders in the data folder that are not for adapters. */
const reserved = new Set(['postgres', 'runs', 'uploads', 'datasets', 'documents', 'backups', 'logs', 'tmp']);

const rule = 'output_dir is a name under the data folder, such as models or models/german';

function problemOf(parts: string[], asked: string): string | undefined {
  if (asked.startsWith('/')) return 'is an absolute path';
  if (parts.length === 0) return 'names no folder';
  if (parts.length > MOST_PARTS) return `has more than ${MOST_PARTS} parts`;
  const [first = ''] = parts;
  if (reserved.has(first.toLowerCase())) return `is in the folder ${first}, which is kept for other data`;
  const bad = parts.find((part) => !PART.test(part));
  return bad === undefined ? undefined : `has the part ${JSON.stringify(bad)}, which is not a plain folder name`;
}

/**
 * The folder that a training may write its adapter to, as a name under the data folder.
 * @throws PathError when it is no such name, or when something else than a folder stands there
 */
export async function outputFolder(asked: string, dataFolder: string): Promise<string> {
  const parts = asked.split('/').filter((part) => part !== '' && part !== '.');
  const problem = problemOf(parts, asked);
  if (problem !== undefined) throw new PathError(`${JSON.stringify(asked)} ${problem}; ${rule}`);
  for (let depth = 1; depth <= parts.length; depth += 1) {
    const stats = await lstat(join(dataFolder, ...parts.slice(0, depth))).catch(() => undefined);
    if (stats === undefined) break;
    // A link would let the adapter be written anywhere.
    if (!stats.isDirectory())
      throw new PathError(
        `${JSON.stringify(asked)} leads through ${stats.isSymbolicLink() ? 'a link' : 'a file'}; ${rule}`,
      );
  }
  return parts.join('/');
}
