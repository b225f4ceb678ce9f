import { csvRows } from './csv-rows.js';
import { lookAtFile, type FileKind } from './file-kind.js';
import { jsonRows } from './json-rows.js';
import { jsonlRows } from './jsonl-rows.js';
import type { PlacedRow } from './placed-row.js';
import { readRow, type ReadRow } from './read-row.js';
import { RowProblem } from './row-problem.js';

const SHOWN_PROBLEMS = 10;

/** Everything that is wrong with a file, the first ten rows by their places. */
export class UnreadableRows extends Error {}

/** What is wrong with the rows of a file: the first ten, and how many more. */
export class RowProblems {
  readonly #shown: string[] = [];
  #count = 0;

  get none(): boolean {
    return this.#count === 0;
  }

  add(message: string): void {
    this.#count += 1;
    if (this.#shown.length < SHOWN_PROBLEMS) this.#shown.push(message);
  }

  error(): UnreadableRows {
    const more = this.#count - this.#shown.length;
    return new UnreadableRows(this.#shown.join('; ') + (more > 0 ? `; and ${more} more` : ''));
  }
}

/** Readers of tables of bytes are loaded where they are needed. */
async function rowsOf(path: string, { kind, head }: { kind: FileKind; head: string }, signal: AbortSignal) {
  switch (kind) {
    case 'jsonl':
      return jsonlRows(path, signal);
    case 'json':
      return jsonRows(path, signal);
    case 'csv':
      return csvRows(path, head, signal);
    case 'parquet':
      return (await import('./parquet-rows.js')).parquetRows(path, signal);
    case 'arrow':
      return (await import('./arrow-rows.js')).arrowRows(path, signal);
  }
}

export function convertedRow(placed: PlacedRow): ReadRow | RowProblem {
  if ('problem' in placed) return placed.problem;
  try {
    return readRow(placed.value);
  } catch (error) {
    if (error instanceof RowProblem) return error;
    throw error;
  }
}

/**
 * The rows of a file of any known kind and format, decided by content, streaming. After the first bad row none is
 * handed out any more, but the file is read to its end so that all problems are told at once.
 * @throws UnreadableRows
 */
export async function* readRows(path: string, signal: AbortSignal): AsyncGenerator<ReadRow> {
  const problems = new RowProblems();
  let rows = 0;
  try {
    for await (const placed of await rowsOf(path, await lookAtFile(path), signal)) {
      rows += 1;
      const row = convertedRow(placed);
      if (row instanceof RowProblem) problems.add(`${placed.place}: ${row.message}`);
      else if (problems.none) yield row;
    }
  } catch (error) {
    if (!(error instanceof RowProblem)) throw error;
    problems.add(error.message);
  }
  if (rows === 0 && problems.none) problems.add('the file has no rows');
  if (!problems.none) throw problems.error();
}
