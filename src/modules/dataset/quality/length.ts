import { share, type Finding } from './finding.js';
import { wordsOf } from './normalised.js';

export interface LengthLimits {
  /** Below: rejected. */
  leastWords: number;
  /** Below: a warning. */
  fewWords: number;
  /** Above, in characters: a warning, for a trainer would cut the row. */
  manyCharacters: number;
  /** Above: rejected. */
  mostCharacters: number;
}

/** 16,000 characters of German are some 4,000 tokens. */
export const usualLimits: LengthLimits = {
  leastWords: 3,
  fewWords: 15,
  manyCharacters: 16_000,
  mostCharacters: 200_000,
};

/** Words are runs of letters and digits; characters are code points. The score falls in proportion to what is missing or too much. */
export function checkLength(text: string, limits: LengthLimits = usualLimits): Finding {
  const words = wordsOf(text).length;
  const characters = Array.from(text).length;
  const of = (score: number, verdict: Finding['verdict'], reason: string): Finding => ({
    check: 'length',
    score: share(score),
    verdict,
    reason,
    detail: { words, characters },
  });
  if (words === 0) return of(0, 'reject', 'The row has no words');
  if (words < limits.leastWords) return of(0, 'reject', `Too short: ${words} of at least ${limits.leastWords} words`);
  if (characters > limits.mostCharacters)
    return of(0, 'reject', `Too long: ${characters} of at most ${limits.mostCharacters} characters`);
  if (words < limits.fewWords)
    return of(words / limits.fewWords, 'warn', `Short: ${words} words, ${limits.fewWords} are usual`);
  if (characters > limits.manyCharacters)
    return of(
      limits.manyCharacters / characters,
      'warn',
      `Long: ${characters} characters; training may cut it after ${limits.manyCharacters}`,
    );
  return of(1, 'ok', `${words} words, ${characters} characters`);
}
