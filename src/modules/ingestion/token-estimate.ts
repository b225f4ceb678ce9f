const LETTERS_A_TOKEN = 3;
const DIGITS_A_TOKEN = 2;
/** From here on scripts that tokenizers cut into single characters, or worse. */
const DENSE_FROM = 0x590;

type Class = 'letter' | 'digit' | 'space' | 'other';

function classOf(code: number): Class {
  if ((code >= 97 && code <= 122) || (code >= 65 && code <= 90)) return 'letter';
  if (code <= 32 || code === 0xa0 || (code >= 0x2000 && code <= 0x200a) || code === 0x202f) return 'space';
  if (code >= 48 && code <= 57) return 'digit';
  return code >= 0xc0 && code < DENSE_FROM ? 'letter' : 'other';
}

/**
 * Tokens of a text where no tokenizer is at hand, without special tokens. Rather too many than too few: a German word has
 * one for every 3 letters begun, as with the tokenizers of English models (those of multilingual ones need fewer); every
 * sign and every character of a dense script is one. Time is linear.
 */
export function estimateTokens(text: string): number {
  let tokens = 0;
  let before: Class = 'space';
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    const kind = classOf(text.charCodeAt(at));
    length = kind === before ? length + 1 : 1;
    before = kind;
    const each = kind === 'letter' ? LETTERS_A_TOKEN : kind === 'digit' ? DIGITS_A_TOKEN : 1;
    if (kind !== 'space' && (length - 1) % each === 0) tokens++;
  }
  return tokens;
}
