import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { UnreadableFile, type Block } from '../../modules/documents/document-parser.port.js';
import { parsedOf, type Parsed, type SourceFile } from './source-file.js';
import { namesColumns, rowText } from './table-rows.js';
import { textPieces, textSource, type TextSource } from './text-source.js';

const LONGEST_ROW = 1 << 20;
const SAMPLE_LINES = 20;
const SAMPLE_CHARACTERS = 65_536;

/** Comma, semicolon, tab or bar separated values, streamed: a row is `column: value; column: value`. */
export async function parseTable(file: SourceFile): Promise<Parsed> {
  const source = await textSource(file);
  return parsedOf(rows(file, source), { warnings: source.warnings });
}

async function* rows(file: SourceFile, source: TextSource): AsyncGenerator<Block> {
  const pieces = textPieces(file, source);
  const first = await startOf(pieces);
  const parser = parse({
    delimiter: delimiterOf(first),
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: LONGEST_ROW,
  });
  // Errors reach the reader through the parser, which pipe() does not do.
  const stream = Readable.from(joined(first, pieces)).on('error', (error) => parser.destroy(error));
  try {
    yield* named(stream.pipe(parser) as AsyncIterable<string[]>);
  } catch (error) {
    if (error instanceof CsvError)
      throw new UnreadableFile('broken', `The table cannot be read: ${error.message.slice(0, 200)}`);
    throw error;
  } finally {
    stream.destroy();
  }
}

async function startOf(pieces: AsyncGenerator<string>): Promise<string> {
  let start = '';
  while (start.length < SAMPLE_CHARACTERS) {
    const next = await pieces.next();
    if (next.done) break;
    start += next.value;
  }
  return start;
}

async function* joined(first: string, rest: AsyncGenerator<string>): AsyncGenerator<string> {
  if (first) yield first;
  yield* rest;
}

async function* named(records: AsyncIterable<string[]>): AsyncGenerator<Block> {
  let headers: string[] | null = null;
  let held: string[] | null = null;
  for await (const cells of records) {
    if (headers === null) {
      headers = namesColumns(cells) ? cells : [];
      if (headers.length > 0) {
        held = cells;
        continue;
      }
    }
    held = null;
    const text = rowText(headers, cells);
    if (text) yield { kind: 'table_row', text };
  }
  // A table of one row has no column names: it is the row.
  if (held) yield { kind: 'table_row', text: rowText([], held) };
}

/** The character that splits the first lines into the same number of columns most often. */
export function delimiterOf(start: string): string {
  const lines = start
    .split(/\r\n|\n|\r/, SAMPLE_LINES)
    .map((line) => line.replace(/"(?:[^"]|"")*"/g, ''))
    .filter((line) => line !== '');
  const ranked = [';', '\t', ',', '|'].map((delimiter) => {
    const counts = lines.map((line) => line.split(delimiter).length - 1);
    const usual = counts.toSorted((one, other) => one - other)[Math.floor(counts.length / 2)] ?? 0;
    const even = counts.filter((count) => count === usual).length;
    return { delimiter, score: usual === 0 ? 0 : even / lines.length + Math.min(usual, 50) / 1000 };
  });
  return ranked.toSorted((one, other) => other.score - one.score)[0]?.delimiter ?? ',';
}
