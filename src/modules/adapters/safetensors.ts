import { open, type FileHandle } from 'node:fs/promises';

export interface Tensor {
  dtype: string;
  shape: number[];
}

export type Tensors = ReadonlyMap<string, Tensor>;

/** What is wrong with a file of weights, in words for whoever sent it. */
export class BrokenWeights extends Error {}

const LENGTH_BYTES = 8;
const LARGEST_HEADER_BYTES = 64 * 1024 * 1024;
/** Bits of one value; sub-byte types are no types of an adapter. */
const BITS: Readonly<Record<string, number>> = {
  F64: 64,
  F32: 32,
  F16: 16,
  BF16: 16,
  F8_E4M3: 8,
  F8_E5M2: 8,
  I64: 64,
  I32: 32,
  I16: 16,
  I8: 8,
  U8: 8,
  U16: 16,
  U32: 32,
  U64: 64,
  BOOL: 8,
};

async function readExactly(handle: FileHandle, length: number, position: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead < length) throw new BrokenWeights('ends within its header');
  return buffer;
}

/**
 * The bytes of a safetensors header: 8 bytes with its length, little-endian, then JSON; no weight is read
 * (https://github.com/huggingface/safetensors, "Format").
 * @throws BrokenWeights
 */
export async function readHeader(path: string): Promise<{ header: Buffer; dataBytes: number }> {
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    const length = Number((await readExactly(handle, LENGTH_BYTES, 0)).readBigUInt64LE());
    if (length > LARGEST_HEADER_BYTES || LENGTH_BYTES + length > size)
      throw new BrokenWeights('is no safetensors file: its header has no sensible length');
    return { header: await readExactly(handle, length, LENGTH_BYTES), dataBytes: size - LENGTH_BYTES - length };
  } finally {
    await handle.close();
  }
}

const isShape = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((side) => Number.isSafeInteger(side) && side >= 0);

/** Names, types and shapes. @throws BrokenWeights where the header does not fit the data behind it */
export function parseHeader(header: Buffer, dataBytes: number): Tensors {
  let parsed: unknown;
  try {
    parsed = JSON.parse(header.toString('utf8'));
  } catch {
    throw new BrokenWeights('is no safetensors file: its header is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new BrokenWeights('is no safetensors file: its header is no object');
  const entries = Object.entries(parsed).filter(([name]) => name !== '__metadata__');
  const tensors = new Map(entries.map(([name, entry]) => [name, tensorOf(name, entry, dataBytes)]));
  const used = [...tensors.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  if (used !== dataBytes)
    throw new BrokenWeights(`is damaged: its tensors have ${used} bytes, and ${dataBytes} stand behind its header`);
  return tensors;
}

function tensorOf(name: string, entry: unknown, dataBytes: number): Tensor & { bytes: number } {
  const { dtype, shape, data_offsets: place } = (entry ?? {}) as Record<string, unknown>;
  const bits = typeof dtype === 'string' ? BITS[dtype] : undefined;
  if (bits === undefined || typeof dtype !== 'string' || !isShape(shape) || !isShape(place) || place.length !== 2)
    throw new BrokenWeights(`is damaged: tensor ${JSON.stringify(name.slice(0, 200))} is not described as one`);
  const [from = 0, to = 0] = place;
  const bytes = (shape.reduce((all, side) => all * side, 1) * bits) / 8;
  if (to - from !== bytes || to > dataBytes)
    throw new BrokenWeights(`is damaged: tensor ${JSON.stringify(name.slice(0, 200))} has not the bytes of its shape`);
  return { dtype, shape, bytes };
}

/** @throws BrokenWeights */
export async function readTensors(path: string): Promise<Tensors> {
  const { header, dataBytes } = await readHeader(path);
  return parseHeader(header, dataBytes);
}
