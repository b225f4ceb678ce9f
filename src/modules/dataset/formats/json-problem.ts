const BLANK = /[ \t\n\r]*/y;
const NUMBER = /-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const ESCAPE = /\\(["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  return found ? at + found[0].length : at;
}

/** Behind the text that begins at `at`; negative: minus one minus the place of what is wrong in it. */
function endOfText(text: string, at: number): number {
  let place = at + 1;
  while (place < text.length) {
    const sign = text[place] as string;
    if (sign === '"') return place + 1;
    if (sign < ' ') return -1 - place;
    const next = sign === '\\' ? skip(ESCAPE, text, place) : place + 1;
    if (next === place) return -1 - place;
    place = next;
  }
  return -1 - text.length;
}

function endOfScalar(text: string, at: number): number {
  if (text[at] === '"') return endOfText(text, at);
  const end = Math.max(skip(NUMBER, text, at), skip(WORD, text, at));
  return end === at ? -1 - at : end;
}

type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ', or end';

interface Step {
  at: number;
  expected: Expected;
}

/** One value, key or sign further; a number: the place of what is wrong. */
function step(text: string, at: number, expected: Expected, open: string[]): Step | number {
  const sign = text[at];
  if (expected === ', or end') {
    const last = open.at(-1);
    if (sign === ',' && last !== undefined) return { at: at + 1, expected: last === '{' ? 'key' : 'value' };
    if (sign === undefined || sign !== (last === '{' ? '}' : last === '[' ? ']' : '')) return at;
    open.pop();
    return { at: at + 1, expected };
  }
  if ((expected === 'value or ]' && sign === ']') || (expected === 'key or }' && sign === '}')) {
    open.pop();
    return { at: at + 1, expected: ', or end' };
  }
  if (expected === 'key' || expected === 'key or }') {
    const end = sign === '"' ? endOfText(text, at) : -1 - at;
    if (end < 0) return -1 - end;
    const colon = skip(BLANK, text, end);
    return text[colon] === ':' ? { at: colon + 1, expected: 'value' } : colon;
  }
  if (sign === '{' || sign === '[') {
    open.push(sign);
    return { at: at + 1, expected: sign === '{' ? 'key or }' : 'value or ]' };
  }
  const end = endOfScalar(text, at);
  return end < 0 ? -1 - end : { at: end, expected: ', or end' };
}

/** Where a text that is no JSON (RFC 8259) stops being it, from 0; its length where it ends too early. */
export function jsonProblemAt(text: string): number {
  const open: string[] = [];
  let now: Step = { at: 0, expected: 'value' };
  for (;;) {
    const at = skip(BLANK, text, now.at);
    const next = step(text, at, now.expected, open);
    if (typeof next === 'number') return next;
    now = next;
  }
}
