import { open, type FileHandle } from 'node:fs/promises';
import {
  CompressionType,
  compressionRegistry,
  DataType,
  MapRow,
  RecordBatchReader,
  StructRow,
  Vector,
  type RecordBatch,
} from 'apache-arrow';
import { messageOf } from '../../../kernel/errors.js';
import { unpackLz4 } from './lz4-frame.js';
import { plainCell } from './plain-cell.js';
import type { PlacedRow } from './placed-row.js';
import { RowProblem } from './row-problem.js';
import { unpackZstd } from './unpack-zstd.js';

/** Of a record batch, packed and unpacked. */
const LARGEST_BATCH_BYTES = 512 * 1024 * 1024;

/** What may still be unpacked of the batch that was read last: the library asks buffer by buffer, and all at once. */
let left = LARGEST_BATCH_BYTES;

const counted =
  (unpack: (packed: Uint8Array, most: number) => Uint8Array) =>
  (packed: Uint8Array): Uint8Array => {
    const bytes = unpack(packed, left);
    left -= bytes.length;
    return bytes;
  };

compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: counted(unpackLz4) });
compressionRegistry.set(CompressionType.ZSTD, { decode: counted(unpackZstd) });

/** A file of which no piece is read that would fill the memory. */
function bounded(handle: FileHandle): FileHandle {
  const read = async (buffer: Uint8Array, offset: number, length: number, position: number) => {
    if (length > LARGEST_BATCH_BYTES)
      throw new RowProblem(
        `a record batch holds more than ${LARGEST_BATCH_BYTES / 1024 / 1024} MiB; write smaller ones`,
      );
    const found = await handle.read(buffer, offset, length, position);
    // Not before: meanwhile others unpack theirs, and what was read is unpacked before anybody else's turn.
    left = LARGEST_BATCH_BYTES;
    return found;
  };
  // As much of one as the library asks for; the file is closed by whoever opened it.
  return { fd: handle.fd, stat: () => handle.stat(), read, close: () => Promise.resolve() } as unknown as FileHandle;
}

/** Milliseconds since 1970 as Arrow's dates and times are handed out. */
const isTime = (type: DataType): boolean => DataType.isTimestamp(type) || DataType.isDate(type);

/** A value of Arrow as JSON has it. */
function plain(value: unknown, type: DataType): unknown {
  if (value === null || value === undefined) return null;
  if (DataType.isDictionary(type)) return plain(value, type.dictionary as DataType);
  if (isTime(type) && typeof value === 'number') return new Date(value).toISOString();
  if (value instanceof Vector) return Array.from(value, (each: unknown) => plain(each, value.type as DataType));
  if (value instanceof StructRow) {
    const children = new Map(type.children.map((field) => [field.name, field.type as DataType]));
    return Object.fromEntries(
      Array.from(value, ([name, each]: [unknown, unknown]) => {
        const inner = children.get(String(name));
        return [String(name), inner ? plain(each, inner) : plainCell(each)];
      }),
    );
  }
  if (value instanceof MapRow) return plainCell(value.toJSON());
  return plainCell(value);
}

const problemOf = (error: unknown): RowProblem =>
  error instanceof RowProblem ? error : new RowProblem(`is not an Arrow file that can be read: ${messageOf(error)}`);

async function opened(handle: FileHandle) {
  try {
    return await (await RecordBatchReader.from(bounded(handle))).open();
  } catch (error) {
    throw problemOf(error);
  }
}

async function nextBatch(reader: Awaited<ReturnType<typeof opened>>): Promise<RecordBatch | undefined> {
  try {
    const { value, done } = await reader.next();
    return done ? undefined : value;
  } catch (error) {
    throw problemOf(error);
  }
}

function rowOf(batch: RecordBatch, index: number): Record<string, unknown> {
  try {
    const cells = (batch.get(index) as StructRow).toArray() as unknown[];
    const { fields } = batch.schema;
    return Object.fromEntries(fields.map(({ name, type }, at) => [name, plain(cells[at], type as DataType)]));
  } catch (error) {
    throw problemOf(error);
  }
}

/** Rows of an Arrow IPC file (Feather version 2) or stream, a record batch at a time. @throws RowProblem */
export async function* arrowRows(path: string, signal: AbortSignal): AsyncGenerator<PlacedRow> {
  const handle = await open(path, 'r');
  try {
    const reader = await opened(handle);
    let count = 0;
    for (let batch = await nextBatch(reader); batch; batch = await nextBatch(reader)) {
      signal.throwIfAborted();
      for (let index = 0; index < batch.numRows; index += 1)
        yield { place: `row ${(count += 1)}`, value: rowOf(batch, index) };
    }
  } finally {
    await handle.close();
  }
}
