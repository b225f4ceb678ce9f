import { open, readFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Matrix } from './gguf-file.js';

/** What an adapter_config.json says of the size of its change. */
export interface PeftConfig {
  lora_alpha: number;
  alpha_pattern?: Record<string, number> | null;
  use_rslora?: boolean | null;
  use_dora?: boolean | null;
  bias?: string | null;
}

/** A [rank, in] and B [out, rank] of one layer. */
export interface LoraPair {
  a: Matrix;
  b: Matrix;
}

/** Why an adapter cannot be written as GGUF, in words for whoever wants it served. */
export class NotConvertible extends Error {}

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const LONGEST_HEADER = 64 * 1024 * 1024;
const TENSOR = /^base_model\.model\.(.+)\.lora_(A|B)\.weight$/;

export async function readConfig(folder: string): Promise<PeftConfig> {
  const config = JSON.parse(await readFile(join(folder, 'adapter_config.json'), 'utf8')) as PeftConfig;
  if (config.use_dora) throw new NotConvertible('a DoRA adapter has no form in GGUF; export it merged');
  if (!(config.lora_alpha > 0)) throw new NotConvertible('adapter_config.json has no lora_alpha above 0');
  return config;
}

/** The matrices of an adapter by layer, such as `model.layers.0.self_attn.q_proj`. @throws NotConvertible */
export async function readPairs(folder: string): Promise<Map<string, LoraPair>> {
  const file = await open(join(folder, 'adapter_model.safetensors'));
  try {
    return await pairsOf(file);
  } finally {
    await file.close();
  }
}

async function pairsOf(file: FileHandle): Promise<Map<string, LoraPair>> {
  const length = Number((await readExactly(file, 0, 8)).readBigUInt64LE());
  if (length > LONGEST_HEADER) throw new NotConvertible('adapter_model.safetensors has a header of no sensible length');
  const header = JSON.parse((await readExactly(file, 8, length)).toString()) as Record<string, Entry>;
  const halves = new Map<string, Partial<LoraPair>>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const [, layer, half] = TENSOR.exec(name) ?? [];
    if (layer === undefined) throw new NotConvertible(`the tensor ${name} has no counterpart in a GGUF adapter`);
    const matrix = await readMatrix(file, 8 + length, name, entry);
    halves.set(layer, { ...halves.get(layer), [half === 'A' ? 'a' : 'b']: matrix });
  }
  return new Map([...halves].map(([layer, { a, b }]) => [layer, whole(layer, a, b)]));
}

function whole(layer: string, a: Matrix | undefined, b: Matrix | undefined): LoraPair {
  if (!a || !b || a.rows !== b.columns)
    throw new NotConvertible(`the matrices A and B of ${layer} do not fit each other`);
  return { a, b };
}

async function readMatrix(file: FileHandle, start: number, name: string, entry: Entry): Promise<Matrix> {
  const [rows, columns, ...more] = entry.shape;
  if (rows === undefined || columns === undefined || more.length > 0)
    throw new NotConvertible(`the tensor ${name} is no matrix`);
  const [from, to] = entry.data_offsets;
  const values = floatsOf(name, entry.dtype, await readExactly(file, start + from, to - from));
  if (values.length !== rows * columns) throw new NotConvertible(`the tensor ${name} has not the bytes of its shape`);
  return { rows, columns, values };
}

async function readExactly(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead < length) throw new NotConvertible('adapter_model.safetensors is cut short');
  return buffer;
}

function floatsOf(name: string, dtype: string, bytes: Buffer): Float32Array {
  if (dtype === 'F32') return Float32Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4));
  const half = dtype === 'F16' ? float16 : dtype === 'BF16' ? bfloat16 : undefined;
  if (!half) throw new NotConvertible(`the tensor ${name} is of type ${dtype}; F32, F16 and BF16 are written as GGUF`);
  return Float32Array.from({ length: bytes.length / 2 }, (_, at) => half(bytes.readUInt16LE(at * 2)));
}

const scratch = new DataView(new ArrayBuffer(4));

/** The upper half of a 32-bit float. */
function bfloat16(bits: number): number {
  scratch.setUint32(0, bits * 0x10000);
  return scratch.getFloat32(0);
}

/** IEEE 754 half precision: 1 sign bit, 5 of the exponent, 10 of the fraction. */
function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
