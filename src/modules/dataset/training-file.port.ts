import { jsonlRows } from './formats/jsonl-rows.js';
import { convertedRow, RowProblems } from './formats/read-file.js';
import { RowProblem } from './formats/row-problem.js';
import type { TrainingRow } from './training-row.js';

export { UnreadableRows } from './formats/read-file.js';

const named: Record<TrainingRow['kind'], string> = {
  messages: 'a conversation',
  preference: 'a pair of answers, of which one is preferred',
  kto: 'a judged answer',
  text: 'a plain text',
};

/**
 * Reads a JSON Lines file to its end, streaming, and checks each row as a build of a dataset would.
 * @param kind what every row must be
 * @returns the number of rows
 * @throws UnreadableRows with the first ten problems, each by its line
 */
export async function checkTrainingFile(
  path: string,
  kind: 'messages' | 'preference',
  signal: AbortSignal,
): Promise<number> {
  const problems = new RowProblems();
  let rows = 0;
  try {
    for await (const placed of jsonlRows(path, signal)) {
      rows += 1;
      const read = convertedRow(placed);
      if (read instanceof RowProblem) problems.add(`${placed.place}: ${read.message}`);
      else if (read.row.kind !== kind)
        problems.add(`${placed.place}: is ${named[read.row.kind]}, where ${named[kind]} is needed`);
    }
  } catch (error) {
    if (!(error instanceof RowProblem)) throw error;
    problems.add(error.message);
  }
  if (rows === 0 && problems.none) problems.add('line 1: the file has no rows');
  if (!problems.none) throw problems.error();
  return rows;
}
