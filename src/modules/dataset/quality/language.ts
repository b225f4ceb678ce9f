import { share, type Finding } from './finding.js';

export interface LanguageFound {
  /** ISO 639-1, such as `de`; null where the text does not tell. */
  code: string | null;
  /** 0 to 1. */
  confidence: number;
}

/** Below, what was found is not held against a row. */
const SURE = 0.5;

/**
 * @param found by whatever detects languages
 * @param expected codes of which any will do; none: every language is welcome
 */
export function checkLanguage(found: LanguageFound, expected: readonly string[]): Finding {
  const of = (score: number, verdict: Finding['verdict'], reason: string): Finding => ({
    check: 'language',
    score: share(score),
    verdict,
    reason,
    detail: { found: found.code ?? 'unknown', confidence: share(found.confidence), expected: [...expected] },
  });
  if (expected.length === 0) return of(1, 'ok', 'No language is expected');
  const wanted = expected.join(' or ');
  if (found.code === null) return of(0.7, 'ok', `The language cannot be told; expected ${wanted}`);
  if (expected.includes(found.code)) return of(1, 'ok', `The language is ${found.code}, as expected`);
  if (found.confidence < SURE) return of(0.7, 'warn', `The language may be ${found.code}; expected ${wanted}`);
  return of(1 - found.confidence, 'reject', `The language is ${found.code}; expected ${wanted}`);
}
