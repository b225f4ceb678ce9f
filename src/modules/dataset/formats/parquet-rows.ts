import { open, type FileHandle } from 'node:fs/promises';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { parquetMetadataAsync, parquetReadObjects, type AsyncBuffer, type FileMetaData } from 'hyparquet';
import { messageOf } from '../../../kernel/errors.js';
import { cellOf } from './csv-rows.js';
import type { PlacedRow } from './placed-row.js';
import { RowProblem } from './row-problem.js';

const AT_ONCE = 1000;
/** Unpacked; what a row group may hold in memory. */
const LARGEST_GROUP_BYTES = 512 * 1024 * 1024;

const compressors = {
  GZIP: (input: Uint8Array): Uint8Array => gunzipSync(input, { maxOutputLength: LARGEST_GROUP_BYTES }),
  BROTLI: (input: Uint8Array): Uint8Array => brotliDecompressSync(input, { maxOutputLength: LARGEST_GROUP_BYTES }),
};

function bufferOf(file: FileHandle, byteLength: number): AsyncBuffer {
  const slice = async (start: number, end = byteLength): Promise<ArrayBuffer> => {
    const bytes = new Uint8Array(end - start);
    await file.read(bytes, 0, bytes.length, start);
    return bytes.buffer;
  };
  return { byteLength, slice };
}

/** What Parquet knows and JSON does not: whole numbers of 64 bits, dates, bytes. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string') return cellOf(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

async function read<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const reason = messageOf(error).replace(/^parquet /, '');
    throw new RowProblem(
      `is not a Parquet file that can be read: ${reason}; write it with snappy or without compression`,
    );
  }
}

function check(metadata: FileMetaData): void {
  const large = metadata.row_groups.findIndex((group) => Number(group.total_byte_size) > LARGEST_GROUP_BYTES);
  if (large !== -1)
    throw new RowProblem(
      `row group ${large + 1} holds more than ${LARGEST_GROUP_BYTES / 1024 / 1024} MiB; write smaller row groups`,
    );
}

/** Rows of a Parquet file, read by at most 1,000. @throws RowProblem */
export async function* parquetRows(path: string, signal: AbortSignal): AsyncGenerator<PlacedRow> {
  const handle = await open(path, 'r');
  try {
    const file = bufferOf(handle, (await handle.stat()).size);
    const metadata = await read(parquetMetadataAsync(file));
    check(metadata);
    const count = Number(metadata.num_rows);
    for (let from = 0; from < count; from += AT_ONCE) {
      signal.throwIfAborted();
      const range = { rowStart: from, rowEnd: Math.min(count, from + AT_ONCE) };
      const rows = await read(parquetReadObjects({ file, metadata, compressors, ...range }));
      yield* rows.map((row, index) => ({ place: `row ${from + index + 1}`, value: plain(row) }));
    }
  } finally {
    await handle.close();
  }
}
