import WordExtractor from 'word-extractor';
import { messageOf } from '../../kernel/errors.js';
import { UnreadableFile, type Block } from '../../modules/documents/document-parser.port.js';
import { paragraphBlocks } from './plain-paragraphs.js';
import { parsedOf, wholeFile, type Parsed, type SourceFile } from './source-file.js';
import { tableBlocks } from './table-rows.js';

interface TextOptions {
  /** False: typographic quotes and dashes stay. */
  filterUnicode: boolean;
  includeHeadersAndFooters?: boolean;
}

/** The library's document; its published types lack the options. */
type Texts = Record<'getBody' | 'getFootnotes' | 'getEndnotes' | 'getTextboxes', (options: TextOptions) => string>;

/** Word 97 to 2003: body, footnotes, endnotes and text boxes. The format tells no headings: those of statutes are found by their words. */
export async function parseDoc(file: SourceFile): Promise<Parsed> {
  const texts = await extract(await wholeFile(file));
  const plain = { filterUnicode: false };
  const all = [
    texts.getBody(plain),
    texts.getFootnotes(plain),
    texts.getEndnotes(plain),
    texts.getTextboxes({ ...plain, includeHeadersAndFooters: false }),
  ];
  return parsedOf(all.flatMap(blocksOf));
}

async function extract(bytes: Buffer): Promise<Texts> {
  try {
    return await new WordExtractor().extract(bytes);
  } catch (error) {
    throw new UnreadableFile(
      'broken',
      `The Word document cannot be read: ${messageOf(error).slice(0, 200)}. Save it as docx.`,
    );
  }
}

/** A line is a paragraph; cells of a table are parted by tabs. */
function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  let rows: string[][] = [];
  for (const line of [...text.split(/\r\n|\n|\r/), '']) {
    if (line.trim().includes('\t')) rows.push(line.trim().split('\t'));
    else {
      blocks.push(...tableBlocks(rows), ...(line.trim() ? paragraphBlocks([line.trim()]) : []));
      rows = [];
    }
  }
  return blocks;
}
