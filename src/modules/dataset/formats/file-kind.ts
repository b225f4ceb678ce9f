import { open } from 'node:fs/promises';
import { delimiterOf } from './csv-rows.js';
import { RowProblem } from './row-problem.js';

export const fileKinds = ['jsonl', 'json', 'csv', 'parquet'] as const;
export type FileKind = (typeof fileKinds)[number];

const LOOKED_AT = 256 * 1024;
/** An object whose first keys have plain values, and then a list of rows. */
const WRAPPED = /^\{\s*("(?:[^"\\]|\\.)*"\s*:\s*("(?:[^"\\]|\\.)*"|[\w.+-]+)\s*,\s*)*"(documents|data)"\s*:\s*\[/;

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/**
 * The kind of a file by its first bytes.
 * @param cut whether the file goes on behind them
 * @throws RowProblem where it is none of the known ones
 */
export function kindOfContent(start: Buffer, cut: 'cut' | 'whole'): FileKind {
  if (start.subarray(0, 4).toString('latin1') === 'PAR1') return 'parquet';
  const text = start.toString().replace(/^\uFEFF/, '');
  const head = text.trimStart();
  if (head === '') throw new RowProblem('the file is empty');
  if (head.startsWith('[')) return 'json';
  if (head.startsWith('{')) return kindOfObjects(head, cut);
  if (delimiterOf(headLine(text)).known > 0) return 'csv';
  throw new RowProblem(
    'the file is none of jsonl, json, csv or parquet; a CSV needs a head line with columns such as text, messages or instruction and output',
  );
}

function kindOfObjects(head: string, cut: 'cut' | 'whole'): FileKind {
  if (WRAPPED.test(head)) return 'json';
  const [first = '', ...others] = head.split('\n');
  const rest = others.join('\n').trim();
  if (isJson(first)) return 'jsonl';
  // A first line that is broken, or longer than what was looked at, is still a line where the next is one.
  if (rest === '' || rest.startsWith('{')) return 'jsonl';
  return cut === 'whole' && isJson(head.trim()) ? 'json' : /^\{\s*$/.test(first) ? 'json' : 'jsonl';
}

export const headLine = (text: string): string => text.replace(/^\uFEFF/, '').split(/\r?\n/, 1)[0] ?? '';

/** The first bytes of a file, and its kind. @throws RowProblem */
export async function lookAtFile(path: string): Promise<{ kind: FileKind; head: string }> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LOOKED_AT), 0, LOOKED_AT, 0);
    const start = buffer.subarray(0, bytesRead);
    return { kind: kindOfContent(start, bytesRead === LOOKED_AT ? 'cut' : 'whole'), head: headLine(start.toString()) };
  } finally {
    await file.close();
  }
}
