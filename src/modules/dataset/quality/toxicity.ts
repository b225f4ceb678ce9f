import { share, type Finding } from './finding.js';
import { folded, wordsOf } from './normalised.js';
import { starred, toxicWords, type Severity } from './toxic-words.js';

/** A text that speaks about such words, as judgments do, uses them as quotations. */
const ABOUT_WORDS =
  /(?<!\p{L})(?:beleidigung|beleidigend|volksverhetzung|stgb|strafgesetzbuch|urteil|beschluss|gericht|straftat|schimpfwort|schimpfwoerter|aeusserung|aeusserungen|strafbar|meinungsfreiheit|kennzeichen verfassungswidriger|diskriminierend|hate speech|slur|defamation)(?!\p{L})/u;
const MANY = 3;
const DENSE = 0.02;

/**
 * Coarse words, insults, hatred and threats in German and English, by a list of our own. It counts words; it does not
 * understand what is meant, so irony and politely worded hatred pass.
 */
export function checkToxicity(text: string): Finding {
  const found = countsOf(text);
  const total = found[1] + found[2] + found[3];
  if (total === 0) return { check: 'toxicity', score: 1, verdict: 'ok', reason: 'No toxic words' };
  const dense = total / Math.max(1, wordsOf(text).length) >= DENSE;
  const quoted = ABOUT_WORDS.test(folded(text));
  const worst: Severity = found[3] > 0 ? 3 : found[2] > 0 ? 2 : 1;
  const grave = worst === 3 || (worst === 2 && (dense || found[2] >= MANY));
  const verdict = grave && !quoted ? 'reject' : worst > 1 || dense || found[1] >= MANY ? 'warn' : 'ok';
  return {
    check: 'toxicity',
    score: share({ ok: 0.8, warn: 0.5, reject: 0 }[verdict]),
    verdict,
    reason: `Toxic words: ${found[3]} of hatred or threat, ${found[2]} insults, ${found[1]} coarse${quoted ? '; the text seems to be about such words' : ''}`,
    detail: { severity: worst, hatred: found[3], insults: found[2], coarse: found[1] },
  };
}

/** Each place is counted once, by its worst reading. */
function countsOf(text: string): Record<Severity, number> {
  const counts: Record<Severity, number> = { 1: 0, 2: (text.match(starred) ?? []).length, 3: 0 };
  let rest = joined(folded(text));
  for (const { severity, pattern } of toxicWords)
    rest = rest.replaceAll(pattern, () => {
      counts[severity] += 1;
      return '.';
    });
  return counts;
}

/** `f i c k` and `scheeeisse` are what they are meant to be. */
const joined = (text: string): string =>
  text
    .replaceAll(/(\p{L})\1{2,}/gu, '$1')
    .replaceAll(/(?<![\p{L}\d])\p{L}(?: \p{L}){3,}(?![\p{L}\d])/gu, (letters) => letters.replaceAll(' ', ''));
