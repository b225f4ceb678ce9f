import { share, type Finding } from './finding.js';
import { folded } from './normalised.js';

export interface Relevance {
  /** Of the search hit that the row comes from, 0 to 1; null where no search found it. */
  hit: number | null;
  /** Words of the question or of the domain. */
  terms: readonly string[];
}

const LITTLE = 0.3;
/** Shorter terms must be whole words; longer ones may be part of a compound. */
const COMPOUND_FROM = 5;

/**
 * The relevance of the hit, else the share of the terms that the text contains; neither known: nothing is held against it.
 * Neither rejects a row: a search measures its hits by the best of them, so the last of a short list has little always.
 */
export function checkRelevance(text: string, { hit, terms }: Relevance): Finding {
  if (hit !== null) {
    return of(hit, hit < LITTLE ? 'warn' : 'ok', `The search gave it a relevance of ${share(hit)}`, {
      relevance: share(hit),
    });
  }
  const wanted = [...new Set(terms.map(folded).filter((term) => term !== ''))];
  if (wanted.length === 0) return of(1, 'ok', 'There are no terms to compare with');
  const words = ` ${folded(text)} `;
  const found = wanted.filter((term) => words.includes(term.length >= COMPOUND_FROM ? term : ` ${term} `));
  const reason = `${found.length} of ${wanted.length} terms of the domain occur`;
  const part = found.length / wanted.length;
  return of(part, part < LITTLE ? 'warn' : 'ok', reason, { terms: wanted.length, found });
}

const of = (score: number, verdict: Finding['verdict'], reason: string, detail?: Finding['detail']): Finding => ({
  check: 'relevance',
  score: share(score),
  verdict,
  reason,
  ...(detail ? { detail } : {}),
});
