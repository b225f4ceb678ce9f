import { createReadStream } from 'node:fs';
import { RowProblem } from './row-problem.js';

const CHUNK = 256 * 1024;

/**
 * The text of a UTF-8 file, piece by piece, without a byte order mark.
 * @throws RowProblem naming the line where the file is no UTF-8
 */
export async function* utf8Chunks(path: string, signal: AbortSignal): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let lines = 1;
  const decoded = (part: Buffer | undefined): string => {
    try {
      return part ? decoder.decode(part, { stream: true }) : decoder.decode();
    } catch {
      throw new RowProblem(`the file is not UTF-8: bytes that are no text stand near line ${lines}; save it as UTF-8`);
    }
  };
  for await (const part of createReadStream(path, { highWaterMark: CHUNK, signal })) {
    const text = decoded(part as Buffer);
    yield text;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines += 1;
  }
  yield decoded(undefined);
}
