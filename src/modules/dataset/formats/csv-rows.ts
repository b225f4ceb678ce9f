import { CsvError, parse } from 'csv-parse';
import { LONGEST_ROW_BYTES, type PlacedRow } from './placed-row.js';
import { RowProblem } from './row-problem.js';
import { utf8Chunks } from './utf8-chunks.js';

/** Columns that a head line of training data has. */
const COLUMNS = new Set([
  'text',
  'messages',
  'conversations',
  'instruction',
  'output',
  'prompt',
  'completion',
  'chosen',
  'preferred_output',
  'kto_tag',
]);

const namesOf = (head: string, delimiter: string): string[] =>
  head.split(delimiter).map((name) => name.replace(/^[\s"\uFEFF]+|[\s"]+$/g, ''));

/** German spreadsheets write semicolons: the separator is the one that makes known columns of the head line. */
export function delimiterOf(head: string): { delimiter: string; known: number } {
  const counted = [',', ';', '\t'].map((delimiter) => ({
    delimiter,
    known: namesOf(head, delimiter).filter((name) => COLUMNS.has(name)).length,
  }));
  return counted.reduce((best, next) => (next.known > best.known ? next : best));
}

/** A cell that looks like JSON and is none stays text. */
export function cellOf(cell: string): unknown {
  if (!/^[[{]/.test(cell)) return cell;
  try {
    return JSON.parse(cell) as unknown;
  } catch {
    return cell;
  }
}

const recordOf = (head: string[], cells: string[]): Record<string, unknown> =>
  Object.fromEntries(head.flatMap((name, index) => (cells[index] ? [[name, cellOf(cells[index])]] : [])));

function problemOf(error: unknown): unknown {
  if (!(error instanceof CsvError)) return error;
  const { lines } = error as unknown as { lines?: number };
  return new RowProblem(`line ${lines ?? '?'}: is not CSV: ${error.message}`);
}

/** One row a record, by the names of the head line; empty cells are left out. @throws RowProblem */
export async function* csvRows(path: string, head: string, signal: AbortSignal): AsyncGenerator<PlacedRow> {
  const parser = parse({
    delimiter: delimiterOf(head).delimiter,
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: LONGEST_ROW_BYTES,
  });
  const feed = async (): Promise<void> => {
    for await (const chunk of utf8Chunks(path, signal))
      if (!parser.write(chunk)) await new Promise((resolve) => parser.once('drain', resolve));
    parser.end();
  };
  feed().catch((error: unknown) => parser.destroy(error as Error));
  let names: string[] | undefined;
  let line = 1;
  try {
    for await (const entry of parser) {
      const { record, info } = entry as { record: string[]; info: { lines: number } };
      const place = `line ${line}`;
      line = info.lines + 1;
      if (!names) names = record.map((name) => name.trim());
      else if (record.length !== names.length)
        yield { place, problem: new RowProblem(`has ${record.length} columns, the head line has ${names.length}`) };
      else yield { place, value: recordOf(names, record) };
    }
  } catch (error) {
    throw problemOf(error);
  } finally {
    parser.destroy();
  }
}
