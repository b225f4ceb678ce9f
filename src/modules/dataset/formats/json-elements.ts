import { LONGEST_ROW_BYTES } from './placed-row.js';
import { RowProblem } from './row-problem.js';

/** Lists of rows that stand in an object. */
const LISTS = ['documents', 'data'];
const LONGEST_KEY = 100;

const NO_LIST = 'must hold a list of rows, or an object with a list named documents or data';

/** The text of one element with the line where it begins. */
export interface JsonElement {
  text: string;
  line: number;
}

type State = 'start' | 'object' | 'list' | 'element' | 'rest' | 'done' | 'no list';

/**
 * Cuts the elements of the list out of JSON text that comes piece by piece: a list, or an object whose `documents` or
 * `data` is one. Only the current element is held; whether it is JSON is for JSON.parse to say.
 */
export class JsonElements {
  #state: State = 'start';
  /** Of open brackets, in an element those of the element alone. */
  #depth = 0;
  #inText = false;
  #escaped = false;
  /** The last text in the object around the list. */
  #word = '';
  #line = 1;
  #wrapped = false;
  #parts: string[] = [];
  #size = 0;
  #begin = { at: 0, line: 1 };
  #afterComma = false;
  #found: JsonElement[] = [];

  /** Elements that are whole now. @throws RowProblem */
  push(text: string): JsonElement[] {
    this.#found = [];
    this.#begin.at = 0;
    for (let at = 0; at < text.length; at += 1) {
      const sign = text[at] as string;
      if (sign === '\n') this.#line += 1;
      if (this.#inText) this.#takeText(sign);
      else this.#take(sign, text, at);
    }
    if (this.#state === 'element') this.#hold(text.slice(this.#begin.at));
    return this.#found;
  }

  /** Whether the text so far is an object that has begun its list. */
  get isWrapped(): boolean {
    return this.#wrapped && ['list', 'element', 'rest', 'done'].includes(this.#state);
  }

  /** @throws RowProblem where the text ended too early, or held no list of rows */
  end(): void {
    if (this.#state === 'start' || this.#state === 'no list') throw new RowProblem(NO_LIST);
    if (this.#state !== 'done')
      throw new RowProblem(`line ${this.#line}: the file ends in the middle of the JSON; it was cut off`);
  }

  #takeText(sign: string): void {
    if (this.#escaped) this.#escaped = false;
    else if (sign === '\\') this.#escaped = true;
    else if (sign === '"') {
      this.#inText = false;
      return;
    }
    if (this.#state === 'object' && this.#depth === 1 && this.#word.length < LONGEST_KEY) this.#word += sign;
  }

  #take(sign: string, text: string, at: number): void {
    switch (this.#state) {
      case 'start':
        return this.#start(sign);
      case 'object':
        return this.#inObject(sign);
      case 'list':
        return this.#inList(sign, at);
      case 'element':
        return this.#inElement(sign, text, at);
      case 'rest':
        return this.#inRest(sign);
      case 'done':
      case 'no list':
        if (sign.trim() !== '') throw new RowProblem(`line ${this.#line}: something stands behind the end of the JSON`);
    }
  }

  #start(sign: string): void {
    if (sign.trim() === '') return;
    if (sign !== '[' && sign !== '{') throw new RowProblem(NO_LIST);
    this.#wrapped = sign === '{';
    this.#state = this.#wrapped ? 'object' : 'list';
    this.#depth = this.#wrapped ? 1 : 0;
  }

  #inObject(sign: string): void {
    if (sign === '"') {
      this.#inText = true;
      if (this.#depth === 1) this.#word = '';
    } else if (sign === '[' && this.#depth === 1 && LISTS.includes(this.#word)) {
      this.#state = 'list';
      this.#depth = 0;
    } else if (sign === '[' || sign === '{') this.#depth += 1;
    else if (sign === ']' || sign === '}') {
      this.#depth -= 1;
      if (this.#depth === 0) this.#state = 'no list';
    }
  }

  #inList(sign: string, at: number): void {
    if (sign.trim() === '') return;
    if (sign === ',' || (sign === ']' && this.#afterComma))
      throw new RowProblem(`line ${this.#line}: is not JSON: a row is missing beside a comma`);
    if (sign === ']') return this.#endList();
    this.#state = 'element';
    this.#begin = { at, line: this.#line };
    this.#inElement(sign, '', at);
  }

  /** A comma or the list's end outside of all brackets is behind the element, whatever it is. */
  #inElement(sign: string, text: string, at: number): void {
    if (sign === '"') this.#inText = true;
    else if (sign === '[' || sign === '{') this.#depth += 1;
    else if (this.#depth === 0 && (sign === ',' || sign === ']')) {
      this.#hold(text.slice(this.#begin.at, at));
      this.#found.push({ text: this.#parts.join('').trim(), line: this.#begin.line });
      this.#parts = [];
      this.#size = 0;
      this.#state = 'list';
      this.#afterComma = sign === ',';
      if (sign === ']') this.#endList();
    } else if (sign === ']' || sign === '}') this.#depth -= 1;
  }

  #inRest(sign: string): void {
    if (sign === '"') this.#inText = true;
    else if (sign === '[' || sign === '{') this.#depth += 1;
    else if (sign === ']' || sign === '}') this.#depth -= 1;
    if (this.#depth === 0) this.#state = 'done';
  }

  #endList(): void {
    this.#state = this.#wrapped ? 'rest' : 'done';
    this.#depth = this.#wrapped ? 1 : 0;
  }

  #hold(part: string): void {
    this.#parts.push(part);
    this.#size += part.length;
    if (this.#size > LONGEST_ROW_BYTES)
      throw new RowProblem(
        `line ${this.#begin.line}: begins a row that is longer than ${LONGEST_ROW_BYTES / 1024 / 1024} MiB`,
      );
  }
}
