import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readGguf } from './gguf-header.js';
import { BrokenWeights, readHeader } from './safetensors.js';

const WHOLE = ['config.json', 'model.safetensors.index.json', 'tokenizer.json', 'tokenizer.model'];

const sha256 = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex');

async function headerHash(path: string): Promise<string> {
  try {
    return sha256((await readHeader(path)).header);
  } catch (error) {
    if (error instanceof BrokenWeights) return 'broken';
    throw error;
  }
}

async function lineOf(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  if (WHOLE.includes(name)) return `${name} ${sha256(await readFile(path))}`;
  return `${name} ${(await stat(path)).size} ${await headerHash(path)}`;
}

/** Cheap and stable: what a base is without reading its weights; see BaseModel.hash. */
export async function hashOfFolder(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => WHOLE.includes(name) || name.endsWith('.safetensors'));
  const lines: string[] = [];
  for (const name of names.toSorted()) lines.push(await lineOf(folder, name));
  return sha256(lines.join('\n'));
}

/** As cheap: its size and its header. */
export async function hashOfGguf(file: string): Promise<string> {
  const { header } = await readGguf(file).catch((error: unknown) => {
    if (error instanceof BrokenWeights) return { header: 'broken' };
    throw error;
  });
  return sha256(`gguf ${(await stat(file)).size} ${sha256(header)}`);
}

export const hashOfHubModel = (id: string, revision: string): string => sha256(`hub ${id}@${revision}`);
