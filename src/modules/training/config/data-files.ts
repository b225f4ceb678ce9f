import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { DataFile } from '../run-contract.generated.js';
import type { Findings } from './findings.js';
import { openConfined, type ConfinedFile, type PathRules } from '../../../kernel/safe-path.js';

/** A larger file is not hashed while a client waits, nor are files beyond the sum; the trainer reports all hashes. */
const LARGEST_HASHED_BYTES = 256 * 1024 * 1024;
const LARGEST_SUM_BYTES = 1024 * 1024 * 1024;

async function sha256(handle: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of handle.createReadStream({ start: 0, autoClose: false })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function hashed({ path, size, handle }: ConfinedFile, most: number): Promise<DataFile & { size: number }> {
  try {
    return { path, size, sha256: size > most ? null : await sha256(handle) };
  } finally {
    await handle.close();
  }
}

/** The files that a key names, by their real paths and with their hashes; a file that is named twice counts once. */
export async function dataFiles(key: string, paths: string[], rules: PathRules, findings: Findings) {
  const files: DataFile[] = [];
  let left = LARGEST_SUM_BYTES;
  for (const asked of paths) {
    const look = openConfined(asked, rules).then((file) => hashed(file, Math.min(left, LARGEST_HASHED_BYTES)));
    const file = await findings.path(key, look);
    if (file === undefined) continue;
    const { path, sha256: hash, size } = file;
    if (hash !== null) left -= size;
    if (files.some((other) => other.path === path)) findings.warn(`${key}: ${asked} is named twice and read once`);
    else files.push({ path, sha256: hash });
  }
  return files;
}
