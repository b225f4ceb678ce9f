import { jsonProblemAt } from './json-problem.js';
import type { PlacedRow } from './placed-row.js';
import { RowProblem } from './row-problem.js';

const SHOWN = 20;

/** The parser's own messages tell no place in every version. */
function problemOf(text: string): RowProblem {
  const at = jsonProblemAt(text);
  const column = at - text.lastIndexOf('\n', at - 1);
  const what =
    at >= text.length ? 'it ends too early' : `${JSON.stringify(text.slice(at, at + SHOWN))} has no meaning here`;
  return new RowProblem(`is not JSON: ${what} (column ${column})`, column);
}

/** @param text without blanks around it */
export function parseJson(text: string, place: string): PlacedRow {
  try {
    return { place, value: JSON.parse(text) as unknown };
  } catch {
    return { place, problem: problemOf(text) };
  }
}
