import WordExtractor from 'word-extractor';
import { messageOf } from '../../kernel/errors.js';
import { UnreadableFile, type Block } from '../../modules/documents/document-parser.port.js';
import { paragraphBlocks } from './plain-paragraphs.js';
import { parsedOf, wholeFile, type Parsed, type SourceFile } from './source-file.js';
import { rowText } from './table-rows.js';

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
const blocksOf = (text: string): Block[] =>
  text.split(/\r\n|\n|\r/).flatMap((line): Block[] => {
    const trimmed = line.trim();
    if (trimmed === '') return [];
    if (trimmed.includes('\t')) return [{ kind: 'table_row', text: rowText([], trimmed.split('\t')) }];
    return paragraphBlocks([trimmed]);
  });
