const run = /\p{L}+|\p{N}+|[^\s\p{L}\p{N}]/gu;
const MOST_LETTERS_A_TOKEN = 4;
const MOST_DIGITS_A_TOKEN = 2;
/** Scripts that tokenizers cut into single characters, or worse. */
const dense = /[^\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]/u;

/**
 * Tokens of a text where no tokenizer is at hand, without special tokens. Rather too many than too few: German words have
 * one token for at most 4 letters here, and about 5 with the tokenizers of multilingual models. Time is linear.
 */
export function estimateTokens(text: string): number {
  let tokens = 0;
  for (const [part] of text.matchAll(run)) {
    if (/^\p{N}/u.test(part)) tokens += Math.ceil(part.length / MOST_DIGITS_A_TOKEN);
    else if (/^\p{L}/u.test(part))
      tokens += dense.test(part) ? part.length : Math.ceil(part.length / MOST_LETTERS_A_TOKEN);
    else tokens += part.length;
  }
  return tokens;
}
