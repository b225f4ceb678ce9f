/** A matrix as rows of columns, as PyTorch shows it; GGUF names the columns first. */
export interface Matrix {
  rows: number;
  columns: number;
  values: Float32Array;
}

const VERSION = 3;
const ALIGNMENT = 32;
const TYPE = { float32: 6, string: 8 };
const TENSOR_FLOAT32 = 0;

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

const uint64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};

const float32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
};

const string = (text: string): Buffer[] => [uint64(Buffer.byteLength(text)), Buffer.from(text)];

const padding = (length: number): Buffer => Buffer.alloc((ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT);

const valueOf = (value: string | number): Buffer[] =>
  typeof value === 'string' ? [uint32(TYPE.string), ...string(value)] : [uint32(TYPE.float32), float32(value)];

/**
 * A GGUF file in pieces, little-endian, its tensors as 32-bit floats
 * (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). Numbers of the metadata are 32-bit floats too.
 */
export function ggufFile(
  metadata: Readonly<Record<string, string | number>>,
  tensors: ReadonlyMap<string, Matrix>,
): Buffer[] {
  const pairs = Object.entries(metadata);
  const head = [Buffer.from('GGUF'), uint32(VERSION), uint64(tensors.size), uint64(pairs.length)];
  for (const [key, value] of pairs) head.push(...string(key), ...valueOf(value));
  const data: Buffer[] = [];
  let offset = 0;
  for (const [name, { rows, columns, values }] of tensors) {
    const dimensions = [uint32(2), uint64(columns), uint64(rows)];
    head.push(...string(name), ...dimensions, uint32(TENSOR_FLOAT32), uint64(offset));
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    data.push(bytes, padding(bytes.length));
    offset += bytes.length + padding(bytes.length).length;
  }
  const headLength = head.reduce((sum, { length }) => sum + length, 0);
  return [...head, padding(headLength), ...data];
}
