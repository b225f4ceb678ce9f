import { open } from 'node:fs/promises';
import { GGUF_LAYERS } from '../../kernel/gguf-layer-names.js';
import { BrokenWeights, type Tensor, type Tensors } from './safetensors.js';

const FIRST_BYTES = 16 * 1024 * 1024;
const LARGEST_HEADER_BYTES = 256 * 1024 * 1024;
const MOST_ENTRIES = 1_000_000;
/** Of the metadata, by their number: 8 is a text, 9 a list. */
const SIZES: readonly number[] = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];
const TEXT = 8;
const LIST = 9;

const LAYERS = new Map(Object.entries(GGUF_LAYERS).map(([layer, name]) => [name, layer]));
const OUTSIDE: Readonly<Record<string, string>> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output.weight': 'lm_head.weight',
};

/** Goes through a header; past its end it throws a RangeError, as Buffer does. */
class Cursor {
  at = 0;

  constructor(private readonly bytes: Buffer) {}

  uint32(): number {
    return this.bytes.readUInt32LE(this.skip(4));
  }

  count(): number {
    const value = Number(this.bytes.readBigUInt64LE(this.skip(8)));
    if (value > MOST_ENTRIES * 1000) throw new BrokenWeights('is no GGUF file: its header has no sensible length');
    return value;
  }

  text(): string {
    const length = this.count();
    const from = this.skip(length);
    return this.bytes.toString('utf8', from, from + length);
  }

  /** @returns where the skipped bytes began */
  skip(length: number): number {
    const from = this.at;
    if (from + length > this.bytes.length) throw new RangeError('past the end');
    this.at += length;
    return from;
  }

  value(type: number): void {
    if (type === TEXT) this.skip(this.count());
    else if (type === LIST) this.#list(this.uint32(), this.count());
    else this.skip(sizeOf(type));
  }

  #list(type: number, length: number): void {
    if (type !== TEXT && type !== LIST) return void this.skip(sizeOf(type) * length);
    for (let index = 0; index < length; index += 1) this.value(type);
  }
}

function sizeOf(type: number): number {
  const size = SIZES[type];
  if (size === undefined) throw new BrokenWeights(`is no GGUF file: its header has a value of the type ${type}`);
  return size;
}

/** As transformers calls a weight; undefined of what no adapter changes. */
function nameOf(name: string): string | undefined {
  const [, block, part = ''] = /^blk\.(\d+)\.(.+)\.weight$/.exec(name) ?? [];
  const layer = LAYERS.get(part);
  if (block !== undefined && layer !== undefined) return `model.layers.${block}.${layer}.weight`;
  return OUTSIDE[name];
}

/** Sides as PyTorch names them, rows first. Weights are quantised; the sides are those of the numbers in them. */
function tensorOf(cursor: Cursor): [name: string, tensor: Tensor] {
  const name = cursor.text();
  const shape = Array.from({ length: Math.min(cursor.uint32(), 8) }, () => cursor.count()).toReversed();
  cursor.skip(4 + 8);
  return [name, { dtype: 'F32', shape }];
}

function parsed(bytes: Buffer): { tensors: Tensors; header: Buffer } {
  const cursor = new Cursor(bytes);
  if (bytes.toString('latin1', 0, 4) !== 'GGUF') throw new BrokenWeights('is no GGUF file');
  cursor.skip(8);
  const [tensorCount, valueCount] = [cursor.count(), cursor.count()];
  for (let index = 0; index < valueCount; index += 1) {
    cursor.text();
    cursor.value(cursor.uint32());
  }
  const tensors = new Map<string, Tensor>();
  for (let index = 0; index < tensorCount; index += 1) {
    const [name, tensor] = tensorOf(cursor);
    const known = nameOf(name);
    if (known !== undefined) tensors.set(known, tensor);
  }
  return { tensors, header: bytes.subarray(0, cursor.at) };
}

/** Undefined where it goes on behind these bytes. */
function parsedWithin(bytes: Buffer): ReturnType<typeof parsed> | undefined {
  try {
    return parsed(bytes);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/**
 * The weights that adapters may change, by their names in transformers, and the bytes that name them; no weight is read
 * (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
 * @throws BrokenWeights
 */
export async function readGguf(path: string): Promise<{ tensors: Tensors; header: Buffer }> {
  const handle = await open(path);
  try {
    for (let size = FIRST_BYTES; size <= LARGEST_HEADER_BYTES; size *= 4) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(size), 0, size, 0);
      const found = parsedWithin(buffer.subarray(0, bytesRead));
      if (found) return found;
      if (bytesRead < size) throw new BrokenWeights('ends within its header');
    }
    throw new BrokenWeights(`has a header of more than ${LARGEST_HEADER_BYTES} bytes`);
  } finally {
    await handle.close();
  }
}
