import type { LlamaModel, Token } from './llama-library.js';

/** So many tokens before a piece tell whether a space stands before it. */
const CONTEXT = 4;
/** A character has at most 4 bytes, and a token at least one. */
const LONGEST_CHARACTER = 4;
const INCOMPLETE = '\uFFFD';

/** Tokens as text, piece by piece, without halves of characters. */
export class TokenText {
  #pending: Token[] = [];
  #before: Token[];

  constructor(
    private readonly model: Pick<LlamaModel, 'detokenize'>,
    prompt: readonly Token[],
  ) {
    this.#before = prompt.slice(-CONTEXT);
  }

  /** The text that is complete now, often of this token, at times of none or several. */
  push(token: Token): string {
    this.#pending.push(token);
    const text = this.model.detokenize(this.#pending, false, this.#before);
    if (text.endsWith(INCOMPLETE) && this.#pending.length < LONGEST_CHARACTER) return '';
    this.#before = [...this.#before, ...this.#pending].slice(-CONTEXT);
    this.#pending = [];
    return text;
  }

  rest(): string {
    return this.#pending.length === 0 ? '' : this.model.detokenize(this.#pending, false, this.#before);
  }
}
