import { open } from 'node:fs/promises';
import { delimiterOf } from './csv-rows.js';
import { JsonElements } from './json-elements.js';
import { isFields, RowProblem, type Fields } from './row-problem.js';

export const fileKinds = ['jsonl', 'json', 'csv', 'parquet', 'arrow'] as const;
export type FileKind = (typeof fileKinds)[number];

const LOOKED_AT = 256 * 1024;
/** Keys that rows have, and an object around rows has not. */
const ROW_KEYS = [
  'text',
  'messages',
  'conversations',
  'instruction',
  'prompt',
  'chosen',
  'preferred_output',
  'kto_tag',
];

function objectOf(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether an object begins here whose `documents` or `data` is a list. */
function beginsList(text: string): boolean {
  const elements = new JsonElements();
  try {
    for (const part of text.match(/[^]{1,4096}/g) ?? []) {
      elements.push(part);
      if (elements.isWrapped) return true;
    }
  } catch {
    return false;
  }
  return false;
}

/** Tables of bytes; a stream of Arrow begins with the mark of its first message. */
function kindOfTable(start: Buffer): FileKind | undefined {
  const mark = start.subarray(0, 6).toString('latin1');
  if (mark.startsWith('PAR1')) return 'parquet';
  if (mark === 'ARROW1' || mark.startsWith('\xff\xff\xff\xff')) return 'arrow';
  if (mark.startsWith('FEA1')) throw new RowProblem('the file is Feather version 1; write version 2');
  return undefined;
}

/**
 * The kind of a file by its first bytes.
 * @throws RowProblem where it is none of the known ones
 */
export function kindOfContent(start: Buffer): FileKind {
  const table = kindOfTable(start);
  if (table) return table;
  const text = start.toString().replace(/^\uFEFF/, '');
  const head = text.trimStart();
  if (head === '') throw new RowProblem('the file is empty');
  if (head.startsWith('[')) return 'json';
  if (head.startsWith('{')) return kindOfObjects(head);
  if (delimiterOf(headLine(text)).known > 0) return 'csv';
  throw new RowProblem(
    'the file is none of jsonl, json, csv, parquet or arrow; a CSV needs a head line with columns such as text, messages or instruction and output',
  );
}

/** A first line that is broken is still a line, unless it begins a list of rows or an object over several lines. */
function kindOfObjects(head: string): FileKind {
  const first = head.split('\n', 1)[0] ?? '';
  const object = objectOf(first);
  if (object && ROW_KEYS.some((key) => key in object)) return 'jsonl';
  return first.trim() === '{' || beginsList(head) ? 'json' : 'jsonl';
}

export const headLine = (text: string): string => text.replace(/^\uFEFF/, '').split(/\r?\n/, 1)[0] ?? '';

/** The first bytes of a file, and its kind. @throws RowProblem */
export async function lookAtFile(path: string): Promise<{ kind: FileKind; head: string }> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LOOKED_AT), 0, LOOKED_AT, 0);
    const start = buffer.subarray(0, bytesRead);
    return { kind: kindOfContent(start), head: headLine(start.toString()) };
  } finally {
    await file.close();
  }
}
