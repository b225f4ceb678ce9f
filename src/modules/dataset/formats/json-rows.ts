import { JsonElements, type JsonElement } from './json-elements.js';
import { parseJson } from './parse-json.js';
import type { PlacedRow } from './placed-row.js';
import { utf8Chunks } from './utf8-chunks.js';

/** The rows of a list, or of an object whose `documents` or `data` is one. @throws RowProblem */
export async function* jsonRows(path: string, signal: AbortSignal): AsyncGenerator<PlacedRow> {
  const elements = new JsonElements();
  let number = 0;
  const row = ({ text, line }: JsonElement): PlacedRow => {
    number += 1;
    return parseJson(text, `row ${number} (line ${line})`);
  };
  for await (const chunk of utf8Chunks(path, signal)) for (const element of elements.push(chunk)) yield row(element);
  elements.end();
}
