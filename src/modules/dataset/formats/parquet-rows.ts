import { open, type FileHandle } from 'node:fs/promises';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { parquetMetadataAsync, parquetReadObjects, type AsyncBuffer, type FileMetaData } from 'hyparquet';
import { decompressLz4, decompressLz4Raw } from 'hyparquet-compressors';
import { messageOf } from '../../../kernel/errors.js';
import { plainCell } from './plain-cell.js';
import type { PlacedRow } from './placed-row.js';
import { RowProblem } from './row-problem.js';
import { unpackZstd } from './unpack-zstd.js';

const AT_ONCE = 1000;
/** Unpacked; what a row group may hold in memory. */
const LARGEST_GROUP_BYTES = 512 * 1024 * 1024;

const compressors = {
  GZIP: (input: Uint8Array): Uint8Array => gunzipSync(input, { maxOutputLength: LARGEST_GROUP_BYTES }),
  BROTLI: (input: Uint8Array): Uint8Array => brotliDecompressSync(input, { maxOutputLength: LARGEST_GROUP_BYTES }),
  ZSTD: unpackZstd,
  LZ4: decompressLz4,
  LZ4_RAW: decompressLz4Raw,
};

function bufferOf(file: FileHandle, byteLength: number): AsyncBuffer {
  const slice = async (start: number, end = byteLength): Promise<ArrayBuffer> => {
    const bytes = new Uint8Array(end - start);
    await file.read(bytes, 0, bytes.length, start);
    return bytes.buffer;
  };
  return { byteLength, slice };
}

async function read<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const reason = messageOf(error).replace(/^parquet /, '');
    throw new RowProblem(`is not a Parquet file that can be read: ${reason}`);
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
      yield* rows.map((row, index) => ({ place: `row ${from + index + 1}`, value: plainCell(row) }));
    }
  } finally {
    await handle.close();
  }
}
