import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { AdapterFile } from './adapter-versions.port.js';

export const CONFIG_FILE = 'adapter_config.json';
export const WEIGHTS_FILE = 'adapter_model.safetensors';

const LARGEST_JSON_BYTES = 8 * 1024 * 1024;
const MOST_FILES = 200;

/** What a folder is, file by file. */
export interface FolderFacts {
  files: AdapterFile[];
  bytes: number;
  /** SHA-256 over a line for each file in the order of the names: hash, two spaces, size, space, name. */
  contentHash: string;
}

/** A folder that is no adapter, in words that tell what to do. */
export class NoAdapter extends Error {}

async function fileOf(folder: string, name: string): Promise<AdapterFile> {
  const path = join(folder, name);
  const stats = await lstat(path);
  if (!stats.isFile()) throw new NoAdapter(`${name} is no regular file: the folder of an adapter holds files only`);
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return { name, bytes: stats.size, sha256: hash.digest('hex') };
}

/** Pure; the files in any order. */
export function contentHashOf(files: readonly AdapterFile[]): string {
  const inOrder = files.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const lines = inOrder.map(({ name, bytes, sha256 }) => `${sha256}  ${bytes} ${name}\n`);
  return createHash('sha256').update(lines.join('')).digest('hex');
}

/** Reads every file once. @throws NoAdapter for links, folders in the folder, or too many files */
export async function readFolder(folder: string): Promise<FolderFacts> {
  const names = (await readdir(folder)).toSorted();
  if (names.length > MOST_FILES)
    throw new NoAdapter(`the folder has ${names.length} entries; ${MOST_FILES} are the most an adapter has`);
  const files: AdapterFile[] = [];
  for (const name of names) files.push(await fileOf(folder, name));
  return { files, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0), contentHash: contentHashOf(files) };
}

/** @throws NoAdapter where it is missing or no JSON object */
export async function readJson(folder: string, name: string): Promise<Record<string, unknown>> {
  const path = join(folder, name);
  const stats = await lstat(path).catch(() => undefined);
  if (!stats?.isFile()) throw new NoAdapter(`${name} is missing`);
  if (stats.size > LARGEST_JSON_BYTES) throw new NoAdapter(`${name} is larger than ${LARGEST_JSON_BYTES} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch {
    throw new NoAdapter(`${name} is not JSON`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new NoAdapter(`${name} is no object`);
  return value as Record<string, unknown>;
}
