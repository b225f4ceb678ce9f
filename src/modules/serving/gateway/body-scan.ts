import { beginNumber, continueNumber, inNumber, isWholeNumber, type NumberState } from './number-token.js';

/** What is wrong with a body, and at which of its keys. */
export class BodyProblem extends Error {
  constructor(
    message: string,
    readonly param: string | null = null,
  ) {
    super(message);
  }
}

/** A top-level value that was looked for: where its bytes stand in the body, and what it says. */
export interface ScannedValue {
  start: number;
  /** Behind the last byte. */
  end: number;
  value: unknown;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

/** Schemas of tools nest; what nests deeper is an attack on whoever parses it. */
const DEEPEST = 200;
const MOST_KEYS = 256;
/** Longest key, and longest value that is looked for. */
const LONGEST_TOKEN = 4096;
/** Short strings end within this; a native search begins behind it. */
const LOOKED_AT = 24;

const LITERALS: Readonly<Record<number, string>> = { 0x74: 'true', 0x66: 'false', 0x6e: 'null' };
const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/**
 * What may come next. first: the body's own value. key: a key. firstKey: a key or }. colon. value. firstItem: a value or ].
 * next: a comma or an end. end: nothing but space. The last three are inside of a token.
 */
type State =
  'first' | 'key' | 'firstKey' | 'colon' | 'value' | 'firstItem' | 'next' | 'end' | 'string' | 'number' | 'literal';

type Between = Exclude<State, 'string' | 'number' | 'literal'>;

/**
 * Reads a JSON object that comes in pieces and keeps nothing of it but the top-level values that are asked for. Its structure,
 * keys, numbers and literals are checked; escapes and characters inside of other strings are left to whoever parses it.
 */
export class BodyScan {
  /** By key; complete ones only. */
  readonly found = new Map<string, ScannedValue>();
  readonly #wanted: ReadonlySet<string>;
  readonly #keys = new Set<string>();
  /** True for each open object, false for each open list. */
  readonly #open: boolean[] = [];
  #state: State = 'first';
  /** Bytes of earlier pieces. */
  #before = 0;
  #chunk: Buffer = Buffer.alloc(0);
  #escaped = false;
  #isKey = false;
  #number: NumberState = 'sign';
  #literal = '';
  #matched = 0;
  /** The top-level key whose value is read. */
  #key = '';
  /** Start of a token that is kept; -1: this one is not. */
  #start = -1;
  #kept: Buffer[] = [];

  constructor(wanted: readonly string[]) {
    this.#wanted = new Set(wanted);
  }

  /** @throws BodyProblem where these bytes can not go on a JSON object */
  push(chunk: Buffer): void {
    this.#chunk = chunk;
    for (let at = 0; at < chunk.length;) at = this.#step(chunk, at);
    if (this.#start >= 0) this.#keep(chunk.length);
    this.#before += chunk.length;
  }

  /** @throws BodyProblem where the object is not complete */
  end(): void {
    if (this.#state === 'first') throw new BodyProblem('The body is empty; send a JSON object');
    if (this.#state !== 'end')
      throw new BodyProblem(`The body ends at byte ${this.#before}, inside of its JSON object`);
  }

  #step(chunk: Buffer, at: number): number {
    switch (this.#state) {
      case 'string':
        return this.#inString(chunk, at);
      case 'number':
        return this.#inNumber(chunk, at);
      case 'literal':
        return this.#inLiteral(chunk, at);
      case 'first':
      case 'key':
      case 'firstKey':
      case 'colon':
      case 'value':
      case 'firstItem':
      case 'next':
      case 'end':
        return this.#between(this.#state, chunk[at] as number, at);
    }
  }

  #between(state: Between, byte: number, at: number): number {
    if (!isSpace(byte)) this.#structure(state, byte, at);
    return at + 1;
  }

  #structure(state: Between, byte: number, at: number): void {
    switch (state) {
      case 'first':
        if (byte !== OPEN) throw new BodyProblem('The body is not a JSON object');
        return this.#enter(true);
      case 'firstKey':
        if (byte === CLOSE) return this.#leave(byte, at);
        return this.#beginKey(byte, at);
      case 'key':
        return this.#beginKey(byte, at);
      case 'colon':
        if (byte !== COLON) this.#refuse(byte, at);
        this.#state = 'value';
        return;
      case 'firstItem':
        if (byte === CLOSE_LIST) return this.#leave(byte, at);
        return this.#beginValue(byte, at);
      case 'value':
        return this.#beginValue(byte, at);
      case 'next':
        if (byte !== COMMA) return this.#leave(byte, at);
        this.#state = this.#open.at(-1) ? 'key' : 'value';
        return;
      case 'end':
        this.#refuse(byte, at);
    }
  }

  #enter(isObject: boolean): void {
    if (this.#open.length >= DEEPEST) throw new BodyProblem(`The JSON is nested deeper than ${DEEPEST} levels`);
    this.#open.push(isObject);
    this.#state = isObject ? 'firstKey' : 'firstItem';
  }

  #leave(byte: number, at: number): void {
    if (byte !== (this.#open.at(-1) ? CLOSE : CLOSE_LIST)) this.#refuse(byte, at);
    this.#open.pop();
    this.#endValue(at + 1);
  }

  #beginKey(byte: number, at: number): void {
    if (byte !== QUOTE) this.#refuse(byte, at);
    this.#isKey = true;
    this.#state = 'string';
    if (this.#open.length === 1) this.#start = this.#before + at;
  }

  #beginValue(byte: number, at: number): void {
    if (this.#open.length === 1 && this.#wanted.has(this.#key)) this.#start = this.#before + at;
    if (byte === QUOTE) this.#state = 'string';
    else if (byte === OPEN || byte === OPEN_LIST) this.#enter(byte === OPEN);
    else this.#beginWord(byte, at);
  }

  #beginWord(byte: number, at: number): void {
    const literal = LITERALS[byte];
    const number = beginNumber(byte);
    if (literal !== undefined) {
      this.#literal = literal;
      this.#matched = 1;
      this.#state = 'literal';
    } else if (number) {
      this.#number = number;
      this.#state = 'number';
    } else this.#refuse(byte, at);
  }

  #inString(chunk: Buffer, from: number): number {
    let at = from;
    if (this.#escaped) {
      this.#escaped = false;
      at += 1;
    }
    const end = closingQuote(chunk, at);
    if (end >= 0) {
      this.#endString(end + 1);
      return end + 1;
    }
    this.#escaped = isEscapedAt(chunk, chunk.length, at);
    return chunk.length;
  }

  #inNumber(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at] as number;
      if (!inNumber(byte)) {
        if (!isWholeNumber(this.#number)) this.#refuse(byte, at);
        this.#endValue(at);
        return at;
      }
      this.#number = continueNumber(this.#number, byte) ?? this.#refuse(byte, at);
    }
    return chunk.length;
  }

  #inLiteral(chunk: Buffer, at: number): number {
    if (chunk[at] !== this.#literal.charCodeAt(this.#matched)) this.#refuse(chunk[at] as number, at);
    this.#matched += 1;
    if (this.#matched === this.#literal.length) this.#endValue(at + 1);
    return at + 1;
  }

  #endString(end: number): void {
    if (!this.#isKey) return this.#endValue(end);
    this.#isKey = false;
    this.#state = 'colon';
    if (this.#open.length !== 1) return;
    this.#key = String(this.#taken(end).value);
    if (this.#keys.has(this.#key))
      throw new BodyProblem(`The key "${this.#key.slice(0, 100)}" stands twice in the body`, this.#key);
    if (this.#keys.size >= MOST_KEYS) throw new BodyProblem(`The body has more than ${MOST_KEYS} keys`);
    this.#keys.add(this.#key);
  }

  #endValue(end: number): void {
    this.#state = this.#open.length === 0 ? 'end' : 'next';
    if (this.#open.length === 1 && this.#start >= 0) this.found.set(this.#key, this.#taken(end));
  }

  #keep(end: number): void {
    this.#kept.push(this.#chunk.subarray(Math.max(0, this.#start - this.#before), end));
    if (this.#before + end - this.#start > LONGEST_TOKEN)
      throw new BodyProblem(
        `A key, or the value of "${this.#key.slice(0, 100)}", is longer than ${LONGEST_TOKEN} bytes`,
        this.#key || null,
      );
  }

  /** The kept token, decoded. */
  #taken(end: number): ScannedValue {
    this.#keep(end);
    const text = Buffer.concat(this.#kept).toString();
    const scanned = { start: this.#start, end: this.#before + end };
    this.#kept = [];
    this.#start = -1;
    try {
      return { ...scanned, value: JSON.parse(text) as unknown };
    } catch {
      throw new BodyProblem(`The JSON is not valid at byte ${scanned.start}`);
    }
  }

  #refuse(byte: number, at: number): never {
    const shown = byte > 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : `the byte 0x${byte.toString(16)}`;
    throw new BodyProblem(`The JSON is not valid: ${shown} at byte ${this.#before + at} is not expected there`);
  }
}

/** The next quote that ends a string; -1 where it ends in a later piece. */
function closingQuote(chunk: Buffer, from: number): number {
  const near = Math.min(chunk.length, from + LOOKED_AT);
  for (let at = from; at < near; at += 1) {
    if (chunk[at] === QUOTE) return at;
    if (chunk[at] === BACKSLASH) at += 1;
  }
  let at = chunk.indexOf(QUOTE, from);
  while (at >= 0 && isEscapedAt(chunk, at, from)) at = chunk.indexOf(QUOTE, at + 1);
  return at;
}

/** Whether an odd number of backslashes stands before a place. */
function isEscapedAt(chunk: Buffer, place: number, from: number): boolean {
  let at = place;
  while (at > from && chunk[at - 1] === BACKSLASH) at -= 1;
  return (place - at) % 2 === 1;
}
