import type { Readable } from 'node:stream';
import { maskPatterns } from '../../kernel/secret-mask.js';

const KEPT = 2000;
/** With its version Node ends what it says of an error that nobody caught. */
const NODE = /^Node\.js v\d/;
const ERROR = /^\w*Error\b.*: /;

/** What a child process writes to its stderr before it ends, which is why it ends. */
export class LastWords {
  #text = '';

  constructor(stderr: Readable) {
    stderr.on('data', (part: Buffer) => {
      this.#text = (this.#text + part.toString()).slice(-KEPT);
    });
  }

  /** The last line, of a crash of Node that of its error; without secrets, empty where there is none. */
  get line(): string {
    const lines = this.#text.trim().split('\n');
    const last = lines.at(-1) ?? '';
    return maskPatterns(NODE.test(last) ? (lines.find((line) => ERROR.test(line)) ?? last) : last);
  }

  /** How it ended, such as `it ended with code 1: out of memory`. */
  afterEnd(code: number | null, signal: NodeJS.Signals | null): string {
    const how = signal === null ? `with code ${code}` : `by ${signal}`;
    return this.line === '' ? `it ended ${how}` : `it ended ${how}: ${this.line}`;
  }
}
