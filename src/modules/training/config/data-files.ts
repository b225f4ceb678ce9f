import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { DataFile } from '../run-contract.generated.js';
import type { Findings } from './findings.js';
import { openConfined, type ConfinedFile, type PathRules } from './safe-path.js';

/** A larger file is not hashed while a client waits; the trainer reports its hash at the end. */
const LARGEST_HASHED_BYTES = 256 * 1024 * 1024;

async function sha256(handle: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of handle.createReadStream({ start: 0, autoClose: false })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function hashed({ path, size, handle }: ConfinedFile): Promise<DataFile> {
  try {
    return { path, sha256: size > LARGEST_HASHED_BYTES ? null : await sha256(handle) };
  } finally {
    await handle.close();
  }
}

/** The files that a key names, by their real paths and with their hashes; a file that is named twice counts once. */
export async function dataFiles(key: string, paths: string[], rules: PathRules, findings: Findings) {
  const files: DataFile[] = [];
  for (const path of paths) {
    const file = await findings.path(key, openConfined(path, rules).then(hashed));
    if (file === undefined) continue;
    if (files.some((other) => other.path === file.path)) findings.warn(`${key}: ${path} is named twice and read once`);
    else files.push(file);
  }
  return files;
}
