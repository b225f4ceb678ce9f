import type { Block } from '../../modules/documents/document-parser.port.js';

/** Deeper values are written as JSON; text that cannot be written at all is left out. */
const DEEPEST = 32;
const DEEPEST_HEADING = 4;
/** A text this long stands alone. */
const LONG = 300;

type Scalar = string | number | boolean | null;
const isScalar = (value: unknown): value is Scalar => value === null || typeof value !== 'object';
const members = (value: unknown): [string, unknown][] => Object.entries(value as object);

/** One record on one line: `name: value; address.city: value`. */
export function recordText(record: unknown): string {
  const parts: string[] = [];
  collect(record, '', { parts, depth: 0 });
  return parts.join('; ');
}

function collect(value: unknown, path: string, into: { parts: string[]; depth: number }): void {
  if (isScalar(value)) {
    const text = String(value ?? '').trim();
    if (text) into.parts.push(path ? `${path}: ${text}` : text);
    return;
  }
  if (into.depth >= DEEPEST) return;
  const deeper = { parts: into.parts, depth: into.depth + 1 };
  if (Array.isArray(value) && value.every(isScalar))
    collect(value.filter((one) => one !== null).join(', '), path, into);
  else if (Array.isArray(value)) for (const one of value) collect(one, path, deeper);
  else for (const [key, one] of members(value)) collect(one, path ? `${path}.${key}` : key, deeper);
}

/** Blocks of a JSON value: keys with structure below are headings, records are rows. */
export function* jsonBlocks(value: unknown, level = 1): Generator<Block> {
  if (isScalar(value)) {
    if (value !== null) yield { kind: 'paragraph', text: String(value) };
  } else if (Array.isArray(value)) for (const one of value) yield* itemBlocks(one);
  else for (const [key, one] of members(value)) yield* memberBlocks(key, one, level);
}

function* itemBlocks(item: unknown): Generator<Block> {
  const text = recordText(item);
  if (text) yield { kind: isScalar(item) ? (text.length > LONG ? 'paragraph' : 'list_item') : 'table_row', text };
}

function* memberBlocks(key: string, value: unknown, level: number): Generator<Block> {
  if (isScalar(value)) {
    const text = String(value ?? '').trim();
    if (text) yield { kind: 'paragraph', text: `${key}: ${text}` };
    return;
  }
  if (level > DEEPEST_HEADING) {
    const text = recordText({ [key]: value });
    if (text) yield { kind: 'table_row', text };
    return;
  }
  yield { kind: 'heading', level, text: key };
  yield* jsonBlocks(value, level + 1);
}
