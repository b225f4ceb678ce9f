export interface TextWindow {
  text: string;
  /** Estimated tokens, at least 1. */
  tokens: number;
}

/** What a tokenizer would hardly join: a run of letters, one of digits, any other sign; with the blanks before it. */
const UNIT = /\s*(?:\p{L}\p{M}*){1,24}|\s*\p{N}{1,8}|\s*[^\s\p{L}\p{N}]|\s+/gu;
/** Scripts without blanks between words: about a token a character. */
const DENSE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/gu;
const LETTERS_PER_TOKEN = 2.75;
const DIGITS_PER_TOKEN = 2;

/** More than most tokenizers make of German or English, since a text that is too long would be cut or refused. */
export const estimateTokens = (text: string): number =>
  (text.match(UNIT) ?? []).reduce((sum, unit) => sum + tokensOf(unit), 0);

function tokensOf(unit: string): number {
  const word = unit.trim();
  if (word === '') return 0;
  if (/^\p{N}/u.test(word)) return Math.ceil(word.length / DIGITS_PER_TOKEN);
  if (!/^\p{L}/u.test(word)) return 1;
  const dense = word.match(DENSE)?.length ?? 0;
  return dense + Math.ceil((word.length - dense) / LETTERS_PER_TOKEN);
}

/**
 * The text in pieces, one after the other and nothing left out; each has at most `room` estimated tokens.
 * @param room at least as many tokens as a unit can have (24)
 */
export function windowsOf(text: string, room: number): TextWindow[] {
  const windows: TextWindow[] = [];
  let current: TextWindow = { text: '', tokens: 0 };
  for (const unit of text.match(UNIT) ?? []) {
    const tokens = tokensOf(unit);
    if (current.text !== '' && current.tokens + tokens > room) {
      windows.push(current);
      current = { text: '', tokens: 0 };
    }
    current = { text: current.text + unit, tokens: current.tokens + tokens };
  }
  return [...windows, current].map((window) => ({ ...window, tokens: Math.max(1, window.tokens) }));
}

/** Two halves, parted at a blank where there is one near the middle. @returns undefined: nothing is left to part */
export function halvesOf({ text, tokens }: TextWindow): [TextWindow, TextWindow] | undefined {
  const middle = text.length >> 1;
  const blank = text.indexOf(' ', middle);
  let at = blank > 0 && blank < text.length - 1 ? blank : middle;
  // Between the two halves of a surrogate pair there is no character.
  if (/[\uDC00-\uDFFF]/.test(text.charAt(at))) at += 1;
  if (at <= 0 || at >= text.length) return undefined;
  const share = Math.max(1, Math.round((tokens * at) / text.length));
  return [
    { text: text.slice(0, at), tokens: share },
    { text: text.slice(at), tokens: Math.max(1, tokens - share) },
  ];
}
