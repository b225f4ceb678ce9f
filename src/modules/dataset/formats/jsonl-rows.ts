import { createReadStream } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { parseJson } from './parse-json.js';
import { LONGEST_ROW_BYTES, type PlacedRow } from './placed-row.js';
import { RowProblem } from './row-problem.js';

const CHUNK = 256 * 1024;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

function charLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

/** Place, from 1, of the first byte that begins no character. */
function firstWrongByte(line: Buffer): number {
  let at = 0;
  for (let end = 0; at < line.length; at = end) {
    end = at + charLength(line[at] ?? 0);
    if (!isUtf8(line.subarray(at, end))) break;
  }
  return at + 1;
}

function rowOf(line: Buffer, number: number): PlacedRow | undefined {
  const place = `line ${number}`;
  if (!isUtf8(line)) {
    const at = firstWrongByte(line);
    return { place, problem: new RowProblem(`is not UTF-8 (byte ${at}: 0x${(line[at - 1] ?? 0).toString(16)})`, at) };
  }
  const text = line.toString().trim();
  return text === '' ? undefined : parseJson(text, place);
}

/** One JSON value a line; empty lines are left out. A line that is none is told and the reading goes on. */
export async function* jsonlRows(path: string, signal: AbortSignal): AsyncGenerator<PlacedRow> {
  let number = 1;
  let parts: Buffer[] = [];
  let held = 0;
  const end = (last: Buffer): PlacedRow | undefined => {
    const line = parts.length === 0 ? last : Buffer.concat([...parts, last]);
    parts = [];
    held = 0;
    const row = rowOf(number === 1 && line.subarray(0, 3).equals(BOM) ? line.subarray(3) : line, number);
    number += 1;
    return row;
  };
  for await (const part of createReadStream(path, { highWaterMark: CHUNK, signal })) {
    const chunk = part as Buffer;
    let from = 0;
    for (let to = chunk.indexOf(0x0a); to !== -1; to = chunk.indexOf(0x0a, from)) {
      const row = end(chunk.subarray(from, to));
      if (row) yield row;
      from = to + 1;
    }
    parts.push(chunk.subarray(from));
    held += chunk.length - from;
    if (held > LONGEST_ROW_BYTES)
      throw new RowProblem(`line ${number} is longer than ${LONGEST_ROW_BYTES / 1024 / 1024} MiB`);
  }
  const row = end(Buffer.alloc(0));
  if (row) yield row;
}
