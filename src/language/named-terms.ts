const MOST = 50;
/** A legal definition in parentheses at the end of what it defines: "... (Verwaltungsakt)". */
const DEFINED = /\(([A-ZÄÖÜ][a-zäöüß]{4,}(?: [A-ZÄÖÜ][a-zäöüß]{3,})?)\)/gu;

/** Terms that a text defines, at most 50. */
export function namedTerms(text: string): string[] {
  return [...new Set(Array.from(text.matchAll(DEFINED), ([, term = '']) => term))].slice(0, MOST);
}
