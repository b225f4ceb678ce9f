import { randomUUID } from 'node:crypto';
import type { AnswerEnd, Piece, TokenChance } from './answer.js';
import type { AskedAnswer } from './asked-answer.js';

/** Shapes of OpenAI's answers (https://platform.openai.com/docs/api-reference/chat and /completions). */
export class Replies {
  readonly #isChat: boolean;
  readonly #head: { id: string; created: number; model: string };
  #hasBegun = false;

  constructor(asked: Pick<AskedAnswer, 'model' | 'prompt'>) {
    this.#isChat = 'turns' in asked.prompt;
    const id = `${this.#isChat ? 'chatcmpl' : 'cmpl'}-${randomUUID()}`;
    this.#head = { id, created: Math.floor(Date.now() / 1000), model: asked.model };
  }

  piece({ text, chance }: Piece): object {
    const logprobs = chance ? this.#logprobs([chance]) : null;
    if (!this.#isChat) return this.#chunk([{ index: 0, text, logprobs, finish_reason: null }]);
    const role = this.#hasBegun ? {} : { role: 'assistant' };
    this.#hasBegun = true;
    return this.#chunk([{ index: 0, delta: { ...role, content: text }, logprobs, finish_reason: null }]);
  }

  end({ reason }: AnswerEnd): object {
    const content = this.#isChat ? { delta: {} } : { text: '' };
    return this.#chunk([{ index: 0, ...content, logprobs: null, finish_reason: reason }]);
  }

  usage(end: AnswerEnd): object {
    return { ...this.#chunk([]), usage: usageOf(end) };
  }

  whole(pieces: readonly Piece[], end: AnswerEnd): object {
    const text = pieces.map((piece) => piece.text).join('');
    const chances = pieces.flatMap(({ chance }) => chance ?? []);
    const logprobs = chances.length === 0 ? null : this.#logprobs(chances);
    const content = this.#isChat ? { message: { role: 'assistant', content: text } } : { text };
    const choices = [{ index: 0, ...content, logprobs, finish_reason: end.reason }];
    const object = this.#isChat ? 'chat.completion' : 'text_completion';
    return { ...this.#head, object, choices, usage: usageOf(end) };
  }

  #chunk(choices: object[]): object {
    return { ...this.#head, object: this.#isChat ? 'chat.completion.chunk' : 'text_completion', choices };
  }

  #logprobs(chances: readonly TokenChance[]): object {
    return this.#isChat ? { content: chances.map(chatChance), refusal: null } : textChances(chances);
  }
}

const usageOf = ({ promptTokens, completionTokens }: AnswerEnd): object => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
});

const chatChance = ({ token, logprob, likeliest }: TokenChance): object => ({
  ...withBytes({ token, logprob }),
  top_logprobs: likeliest.map(withBytes),
});

const withBytes = (one: { token: string; logprob: number }): object => ({ ...one, bytes: [...Buffer.from(one.token)] });

function textChances(chances: readonly TokenChance[]): object {
  return {
    tokens: chances.map(({ token }) => token),
    token_logprobs: chances.map(({ logprob }) => logprob),
    top_logprobs: chances.map(({ likeliest }) =>
      Object.fromEntries(likeliest.map(({ token, logprob }) => [token, logprob])),
    ),
  };
}
