import type { Readable } from 'node:stream';
import { maskPatterns } from '../../kernel/secret-mask.js';

const KEPT = 2000;

/** What a child process writes to its stderr before it ends, which is why it ends. */
export class LastWords {
  #text = '';

  constructor(stderr: Readable) {
    stderr.on('data', (part: Buffer) => {
      this.#text = (this.#text + part.toString()).slice(-KEPT);
    });
  }

  /** The last line, without secrets; empty where there is none. */
  get line(): string {
    return maskPatterns(this.#text.trim().split('\n').at(-1) ?? '');
  }

  /** How it ended, such as `it ended with code 1: out of memory`. */
  afterEnd(code: number | null, signal: NodeJS.Signals | null): string {
    const how = signal === null ? `with code ${code}` : `by ${signal}`;
    return this.line === '' ? `it ended ${how}` : `it ended ${how}: ${this.line}`;
  }
}
