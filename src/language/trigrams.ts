/** Blanks before and after a term, so that its beginning weighs more than its end, as PostgreSQL's pg_trgm has it. */
const BEFORE = '  ';
const AFTER = ' ';

/**
 * The distinct sequences of three characters of a term, in order of first appearance: `amt` gives `  a`, ` am`, `amt`, `mt `.
 * @param term as termsOf gives it
 */
export function trigramsOf(term: string): string[] {
  if (term === '') return [];
  const letters = Array.from(`${BEFORE}${term}${AFTER}`);
  const trigrams = new Set<string>();
  for (let at = 0; at + 2 < letters.length; at++) trigrams.add(letters.slice(at, at + 3).join(''));
  return [...trigrams];
}

/** Shared trigrams by all trigrams of two terms, 0 to 1 (Jaccard); 1 for equal terms. */
export function trigramSimilarity(one: string, other: string): number {
  if (one === other) return 1;
  const trigrams = new Set(trigramsOf(one));
  const others = trigramsOf(other);
  const shared = others.filter((trigram) => trigrams.has(trigram)).length;
  const all = trigrams.size + others.length - shared;
  return all === 0 ? 0 : shared / all;
}
