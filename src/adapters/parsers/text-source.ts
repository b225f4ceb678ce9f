import { createReadStream } from 'node:fs';
import iconv from 'iconv-lite';
import { checkSize, headOf, type SourceFile } from './source-file.js';
import { declaredEncoding, guessEncoding, markedEncoding, wideEncoding, type Encoding } from './text-encoding.js';

const HEAD_BYTES = 65_536;
const SAMPLE_BYTES = 65_536;
/** Below this share of valid sequences a text with UTF-8 in it is not UTF-8. */
const MOSTLY = 0.9;

/** A text file and how to read it. */
export interface TextSource {
  encoding: Encoding;
  /** What a reader must know, such as bytes that could not be decoded. */
  warnings: string[];
}

/** What a look at all bytes shows. */
interface Look {
  /** UTF-8 sequences of several bytes. */
  valid: number;
  /** Bytes that belong to none. */
  invalid: number;
  /** Surroundings of the non-ASCII bytes. */
  sample: Buffer;
}

/**
 * Finds the encoding: byte order mark, valid UTF-8, UTF-16, then what an HTML or XML text declares, else a guess.
 * Reads the whole file once where it has no mark, in pieces.
 */
export async function textSource(file: SourceFile): Promise<TextSource> {
  const head = await headOf(file.path, HEAD_BYTES);
  const certain = markedEncoding(head) ?? wideEncoding(head);
  if (certain) return { encoding: certain, warnings: [] };
  const look = await lookAt(file.path);
  if (look.invalid === 0) return { encoding: { name: 'utf-8', skip: 0 }, warnings: [] };
  const declared = declaredEncoding(head);
  if (look.valid * (1 - MOSTLY) > look.invalid)
    return {
      encoding: { name: 'utf-8', skip: 0 },
      warnings: [`${look.invalid} byte(s) are not valid UTF-8; they are shown as \uFFFD`],
    };
  const name = declared && declared !== 'utf-8' ? declared : guessEncoding(look.sample);
  return {
    encoding: { name, skip: 0 },
    warnings: declared === 'utf-8' ? [`declared as UTF-8, but it is not; read as ${name}`] : [],
  };
}

async function lookAt(path: string): Promise<Look> {
  const look = { valid: 0, invalid: 0, sample: [] as Buffer[] };
  let sampled = 0;
  let open = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>) {
    open = countSequences(chunk, open, look);
    if (look.invalid > 0 && sampled < SAMPLE_BYTES) {
      const part = aroundHighBytes(chunk, SAMPLE_BYTES - sampled);
      sampled += part.length;
      look.sample.push(part);
    }
  }
  return { valid: look.valid, invalid: look.invalid + (open > 0 ? 1 : 0), sample: Buffer.concat(look.sample) };
}

/** @returns how many bytes of an unfinished sequence are still to come */
function countSequences(chunk: Buffer, missing: number, into: { valid: number; invalid: number }): number {
  let open = missing;
  for (const byte of chunk) {
    if (open > 0) {
      const continues = (byte & 0xc0) === 0x80;
      open = continues ? open - 1 : 0;
      if (continues && open === 0) into.valid++;
      if (continues) continue;
      into.invalid++;
    }
    if (byte < 0x80) continue;
    open = bytesToCome(byte);
    if (open === 0) into.invalid++;
  }
  return open;
}

/** After the first byte of a UTF-8 sequence; 0: no sequence starts so. */
function bytesToCome(byte: number): number {
  if (byte >= 0xc2 && byte <= 0xdf) return 1;
  if (byte >= 0xe0 && byte <= 0xef) return 2;
  return byte >= 0xf0 && byte <= 0xf4 ? 3 : 0;
}

const AROUND = 12;

function aroundHighBytes(chunk: Buffer, most: number): Buffer {
  const parts: Buffer[] = [];
  let size = 0;
  for (let at = 0; at < chunk.length && size < most; at++) {
    if ((chunk[at] ?? 0) < 0x80) continue;
    let end = at + 1;
    while (end < chunk.length && end - at < 256 && chunk.subarray(end, end + AROUND).some((byte) => byte >= 0x80))
      end++;
    const part = chunk.subarray(Math.max(0, at - AROUND), end + AROUND);
    parts.push(part, Buffer.from('\n'));
    size += part.length + 1;
    at = end + AROUND;
  }
  return Buffer.concat(parts);
}

/** The text in pieces of some 64 KB. */
export async function* textPieces(file: SourceFile, { encoding }: TextSource): AsyncGenerator<string> {
  const decoder = iconv.getDecoder(encoding.name, { stripBOM: false });
  const stream = createReadStream(file.path, { start: encoding.skip });
  for await (const chunk of stream as AsyncIterable<Buffer>) yield decoder.write(chunk);
  const rest = decoder.end();
  if (rest) yield rest;
}

/** Longer lines are handed out in parts, so that a file of one line stays bounded. */
const LONGEST_LINE = 1 << 20;

/** The lines without their ends (\n, \r\n, \r, form feed). */
export async function* textLines(file: SourceFile, source: TextSource): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of textPieces(file, source)) {
    // A \r at the end may be the first half of \r\n: it waits.
    const text = rest + piece;
    const held = text.endsWith('\r') ? 1 : 0;
    const lines = text.slice(0, text.length - held).split(/\r\n|\r|\n|\f/);
    rest = (lines.pop() ?? '') + text.slice(text.length - held);
    yield* lines;
    if (rest.length > LONGEST_LINE) {
      yield rest;
      rest = '';
    }
  }
  yield rest.replace(/\r$/, '');
}

/**
 * The whole text; for formats that cannot be streamed.
 * @throws UnreadableFile too_large
 */
export async function wholeText(file: SourceFile, source: TextSource): Promise<string> {
  checkSize(file);
  const pieces: string[] = [];
  for await (const piece of textPieces(file, source)) pieces.push(piece);
  return pieces.join('');
}
