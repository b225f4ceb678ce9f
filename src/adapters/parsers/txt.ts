import type { Block } from '../../modules/documents/document-parser.port.js';
import { paragraphBlocks } from './plain-paragraphs.js';
import { parsedOf, type Parsed, type SourceFile } from './source-file.js';
import { textLines, textSource } from './text-source.js';

/** A paragraph without an end is cut here; it stays whole for a reader, who sees two paragraphs. */
const MOST_LINES = 500;
const MOST_CHARACTERS = 32_768;

/** Plain text, streamed: paragraphs between empty lines, headings of statutes recognised. */
export async function parseTxt(file: SourceFile): Promise<Parsed> {
  const source = await textSource(file);
  return parsedOf(paragraphs(textLines(file, source)), { warnings: source.warnings });
}

/** Paragraphs of plain text that is in memory, such as the body of a mail. */
export async function* paragraphs(lines: Iterable<string> | AsyncIterable<string>): AsyncGenerator<Block> {
  let open: string[] = [];
  let size = 0;
  for await (const line of lines) {
    const text = line.trim();
    if (text === '' || open.length >= MOST_LINES || size > MOST_CHARACTERS) {
      if (open.length > 0) yield* paragraphBlocks(open);
      [open, size] = [[], 0];
    }
    if (text === '') continue;
    open.push(text);
    size += text.length;
  }
  if (open.length > 0) yield* paragraphBlocks(open);
}
