import { open, readFile } from 'node:fs/promises';
import type { OcrRun } from '../ocr/ocr-run.js';
import { UnreadableFile, type Block } from '../../modules/documents/document-parser.port.js';

/** A file that is being parsed. */
export interface SourceFile {
  path: string;
  /** As the user named it. */
  filename: string;
  bytes: number;
  /** Of a format that must be read whole, and of what a packed format holds. */
  maxBytes: number;
  /** Null: pictures are not read. */
  ocr: OcrRun | null;
}

/** What a parser makes of a file. The facts are complete once the blocks are read through. */
export interface Parsed {
  title: string | null;
  metadata: Record<string, string>;
  pages: number | null;
  warnings: string[];
  unreadPages: number;
  blocks: Iterable<Block> | AsyncIterable<Block>;
}

export type Parse = (file: SourceFile) => Promise<Parsed> | Parsed;

export const parsedOf = (blocks: Parsed['blocks'], facts: Partial<Parsed> = {}): Parsed => ({
  title: null,
  metadata: {},
  pages: null,
  warnings: [],
  unreadPages: 0,
  ...facts,
  blocks,
});

/** The first bytes of a file, at most `length`. */
export async function headOf(path: string, length: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await file.read(buffer, 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

export const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1_048_576)} MB`;

/** @throws UnreadableFile too_large for a file whose format cannot be streamed */
export function checkSize(file: SourceFile): void {
  if (file.bytes <= file.maxBytes) return;
  throw new UnreadableFile(
    'too_large',
    `The file has ${megabytes(file.bytes)}; a format that must be read whole may have ${megabytes(file.maxBytes)}. ` +
      'Split it, or raise CLARA_MAX_FILE_MB.',
  );
}

/**
 * Reads a file whose format cannot be streamed.
 * @throws UnreadableFile too_large
 */
export async function wholeFile(file: SourceFile): Promise<Buffer> {
  checkSize(file);
  return readFile(file.path);
}
