import { open, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { shapeOf, type ModelFacts, type Tensors } from './model-shape.js';

const LARGEST_CONFIG_BYTES = 1024 * 1024;
const LARGEST_HEADER_BYTES = 64 * 1024 * 1024;
const MOST_SHARDS = 1000;

async function readBytes(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

async function withFile<T>(path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path);
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}

/**
 * Names and shapes of the tensors in a safetensors file: 8 bytes with the length of the header, little-endian, then the
 * header as JSON (https://github.com/huggingface/safetensors, "Format").
 */
async function tensorsOf(handle: FileHandle): Promise<[string, number[]][]> {
  const length = Number((await readBytes(handle, 0, 8)).readBigUInt64LE());
  if (length > LARGEST_HEADER_BYTES) return [];
  const header = JSON.parse((await readBytes(handle, 8, length)).toString('utf8')) as Record<
    string,
    { shape?: unknown }
  >;
  return Object.entries(header).flatMap(([name, { shape }]) =>
    Array.isArray(shape) ? [[name, shape.map(Number)]] : [],
  );
}

async function allTensors(folder: string): Promise<Tensors> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.safetensors')).slice(0, MOST_SHARDS);
  const tensors = new Map<string, number[]>();
  for (const name of names)
    for (const [tensor, shape] of await withFile(join(folder, name), tensorsOf)) tensors.set(tensor, shape);
  return tensors;
}

/**
 * What a model folder tells about the size of the model: its config.json, and the headers of its weights where it has
 * them. No weight is read.
 * @returns undefined when the folder cannot be understood
 */
export async function readModelFacts(folder: string): Promise<ModelFacts | undefined> {
  try {
    const text = await withFile(join(folder, 'config.json'), (file) => readBytes(file, 0, LARGEST_CONFIG_BYTES));
    return shapeOf(JSON.parse(text.toString('utf8')) as Record<string, unknown>, await allTensors(folder));
  } catch {
    // A folder that cannot be understood has no estimate; the trainer says what is wrong with it.
    return undefined;
  }
}
