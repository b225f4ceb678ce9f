import { termsOf } from '../../../language/german-terms.js';
import { stemOf } from '../../../language/german-stem.js';
import { tokensOf } from '../../../language/tokens.js';

/** A word that speaks for an adapter, and how loudly. */
export interface Keyword {
  word: string;
  weight: number;
}

export interface KeywordHits {
  score: number;
  /** Each with how often it stands there, such as `vergabe x2`. */
  found: string[];
}

/** Longest text that is looked at; what it is about shows early. */
const LOOKED_AT = 20_000;

/** How often each stem stands in a text: of words, and of the parts of compounds, each once a word. */
export function stemCounts(text: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const token of tokensOf(text.slice(0, LOOKED_AT)))
    for (const term of new Set(termsOf(token).map((use) => use.term))) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}

/** Whole-word hits times weight; of several words all have to be there. */
export function scoreKeywords(counts: ReadonlyMap<string, number>, keywords: readonly Keyword[]): KeywordHits {
  const hits: KeywordHits = { score: 0, found: [] };
  for (const { word, weight } of keywords) {
    const stems = tokensOf(word).map(stemOf);
    const count = stems.length === 0 ? 0 : Math.min(...stems.map((stem) => counts.get(stem) ?? 0));
    if (count === 0) continue;
    hits.score += count * weight;
    hits.found.push(`${word} x${count}`);
  }
  return hits;
}
