import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

interface Tensor {
  data_offsets: [number, number];
}

const LONGEST_HEADER = 100 * 1024 * 1024;
const PIECE = 1024 * 1024;

/**
 * Whether every B matrix of an adapter is zero, so that it adds nothing to its base: LoRA begins so, and a training of too
 * few steps ends so. Format: 8 bytes length, JSON header, data (safetensors).
 */
export async function addsNothing(folder: string): Promise<boolean> {
  const file = await open(join(folder, 'adapter_model.safetensors'));
  try {
    const head = await read(file, 0, 8);
    const length = Number(head.readBigUInt64LE());
    if (length > LONGEST_HEADER) return false;
    const header = JSON.parse((await read(file, 8, length)).toString()) as Record<string, Tensor>;
    const tensors = Object.entries(header).filter(
      ([name]) => name.includes('lora_B') || name.includes('lora_embedding_B'),
    );
    for (const [, { data_offsets: range }] of tensors)
      if (!(await isZero(file, 8 + length + range[0], 8 + length + range[1]))) return false;
    return tensors.length > 0;
  } finally {
    await file.close();
  }
}

/** Minus zero is zero too: only the sign bit of a number may be set. */
async function isZero(file: FileHandle, from: number, to: number): Promise<boolean> {
  for (let at = from; at < to; at += PIECE) {
    const piece = await read(file, at, Math.min(PIECE, to - at));
    if (piece.some((byte) => (byte & 0x7f) !== 0)) return false;
  }
  return true;
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead < length) throw new Error('the file of the adapter is cut short');
  return buffer;
}
