import { zipSync } from 'fflate';
import { read, set_cptable, utils, type CellObject, type WorkBook, type WorkSheet } from '@e965/xlsx';
import { messageOf } from '../../kernel/errors.js';
import { UnreadableFile, type Block } from '../../modules/documents/document-parser.port.js';
import { factsOf } from './front-matter.js';
import { parsedOf, wholeFile, type Parsed, type SourceFile } from './source-file.js';
import { tableBlocks } from './table-rows.js';
import { zipParts } from './zip-parts.js';

const MOST_ROWS = 200_000;
const MOST_COLUMNS = 1000;

/** Excel 2007 and later. */
export async function parseXlsx(file: SourceFile): Promise<Parsed> {
  const parts = await zipParts(
    file,
    (name) => /\.(?:xml|rels)$/.test(name) && !/\/(?:media|drawings|theme)\//.test(name),
  );
  const files = Object.fromEntries([...parts].map(([name, part]) => [name, new Uint8Array(part)]));
  return workbook(Buffer.from(zipSync(files, { level: 0 })));
}

/** Excel 5 to 2003. */
export async function parseXls(file: SourceFile): Promise<Parsed> {
  // Excel 5 and 95 write text in code pages; the tables are large and needed by nobody else.
  set_cptable(await import('@e965/xlsx/dist/cpexcel.full'));
  return workbook(await wholeFile(file));
}

/** Sheets as headings, rows with the names of their columns; at most 200,000 rows of 1,000 columns a sheet. */
function workbook(bytes: Buffer): Parsed {
  const book = opened(bytes);
  const parsed = parsedOf([], { metadata: factsOf({ author: book.Props?.Author, created: createdOf(book) }) });
  parsed.title = book.Props?.Title?.trim() || null;
  parsed.blocks = sheetBlocks(book, parsed.warnings);
  return parsed;
}

/** An unset date is 1601. */
const createdOf = (book: WorkBook): string | null => {
  const date = new Date(book.Props?.CreatedDate ?? Number.NaN);
  return date.getFullYear() > 1980 ? date.toISOString() : null;
};

function opened(bytes: Buffer): WorkBook {
  try {
    return read(bytes, { type: 'buffer', dense: true, cellDates: true, cellHTML: false, sheetRows: MOST_ROWS + 1 });
  } catch (error) {
    const why = messageOf(error).slice(0, 200);
    if (/password|encrypt/i.test(why))
      throw new UnreadableFile('encrypted', 'The workbook is protected by a password. Save it without one.');
    throw new UnreadableFile(
      'broken',
      `The workbook cannot be read: ${why}. Save it again with the program that made it.`,
    );
  }
}

function* sheetBlocks(book: WorkBook, warnings: string[]): Generator<Block> {
  for (const name of book.SheetNames) {
    const sheet = book.Sheets[name];
    if (!sheet) continue;
    const rows = rowsOf(sheet);
    const blocks = tableBlocks(rows.slice(0, MOST_ROWS));
    if (rows.length > MOST_ROWS) warnings.push(`sheet "${name}": only the first ${MOST_ROWS} rows were read`);
    if (blocks.length === 0) continue;
    yield { kind: 'heading', level: 1, text: name };
    yield* blocks;
  }
}

/** What is there; never the range that the sheet claims to have. */
function rowsOf(sheet: WorkSheet): string[][] {
  const data = (sheet as { '!data'?: (CellObject | undefined)[][] })['!data'] ?? [];
  const rows: string[][] = [];
  // Empty rows are holes in the list, which forEach leaps over.
  data.forEach((row) => {
    const cells: string[] = [];
    row?.slice(0, MOST_COLUMNS).forEach((cell, at) => (cells[at] = cell ? shown(cell) : ''));
    const filled = Array.from(cells, (cell) => cell ?? '');
    if (filled.some((cell) => cell !== '')) rows.push(filled);
  });
  return rows;
}

function shown(cell: CellObject): string {
  if (cell.t === 'z' || cell.v === undefined) return '';
  if (cell.v instanceof Date) return cell.v.toISOString().replace(/T00:00:00\.000Z$/, '');
  return cell.w ?? (cell.t === 'n' || cell.t === 's' || cell.t === 'b' ? String(cell.v) : utils.format_cell(cell));
}
