import { UnreadableFile } from '../../modules/documents/document-parser.port.js';

/** One token of an RTF file (RTF 1.9.1, "Basic entities"). */
export type RtfToken =
  | { kind: 'open' }
  | { kind: 'close' }
  | { kind: 'word'; name: string; value: number | null }
  /** A character of the code page that is in force. */
  | { kind: 'byte'; byte: number };

const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const isLetter = (byte: number): boolean => (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a);
const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

const symbols: Readonly<Record<string, string>> = {
  '~': 'nbsp',
  '-': 'softhyphen',
  _: 'nbhyphen',
  '*': '*',
  '\n': 'par',
  '\r': 'par',
};

/** @throws UnreadableFile where a control symbol is cut off */
export function* rtfTokens(bytes: Buffer): Generator<RtfToken> {
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0;
    if (byte === OPEN || byte === CLOSE) {
      yield byte === OPEN ? { kind: 'open' } : { kind: 'close' };
      at++;
    } else if (byte === BACKSLASH) {
      const { token, next } = control(bytes, at + 1);
      yield token;
      // What follows \bin is raw.
      at = token.kind === 'word' && token.name === 'bin' ? next + Math.max(0, token.value ?? 0) : next;
    } else {
      if (byte !== 10 && byte !== 13 && byte !== 0) yield { kind: 'byte', byte };
      at++;
    }
  }
}

function control(bytes: Buffer, at: number): { token: RtfToken; next: number } {
  const first = bytes[at];
  if (first === undefined)
    throw new UnreadableFile('broken', 'The RTF file ends within a control word. Upload it again.');
  if (isLetter(first)) return controlWord(bytes, at);
  if (first === 0x27) {
    const byte = Number.parseInt(bytes.subarray(at + 1, at + 3).toString('latin1'), 16);
    return { token: { kind: 'byte', byte: Number.isNaN(byte) ? 0x3f : byte }, next: at + 3 };
  }
  const name = symbols[String.fromCharCode(first)];
  return { token: name ? { kind: 'word', name, value: null } : { kind: 'byte', byte: first }, next: at + 1 };
}

const LONGEST_WORD = 32;
const MOST_DIGITS = 10;

function controlWord(bytes: Buffer, start: number): { token: RtfToken; next: number } {
  let at = start;
  while (at < bytes.length && at - start < LONGEST_WORD && isLetter(bytes[at] ?? 0)) at++;
  const name = bytes.subarray(start, at).toString('latin1');
  const from = at;
  if (bytes[at] === 0x2d) at++;
  while (at < bytes.length && at - from < MOST_DIGITS && isDigit(bytes[at] ?? 0)) at++;
  const digits = bytes.subarray(from, at).toString('latin1');
  const value = /\d/.test(digits) ? Number.parseInt(digits, 10) : null;
  // One space after a control word belongs to it.
  return { token: { kind: 'word', name, value }, next: bytes[at] === 0x20 ? at + 1 : at };
}
