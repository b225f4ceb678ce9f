import { randomUUID } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const FILE = '.folder-id';

/**
 * What a data folder is called wherever it is mounted; made at the first call. Its path would not do: on two hosts
 * that share a database it names two folders.
 */
export async function folderId(folder: string): Promise<string> {
  const path = join(folder, FILE);
  const known = await readFile(path, 'utf8').catch(() => undefined);
  if (known !== undefined) return known.trim();
  const partial = `${path}.${randomUUID()}`;
  await writeFile(partial, `${randomUUID()}\n`, { mode: 0o600 });
  // Of two that make it at once the first counts, and nobody reads half of it.
  await link(partial, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(partial);
  return (await readFile(path, 'utf8')).trim();
}
