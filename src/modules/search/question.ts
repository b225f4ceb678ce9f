import { termsOf } from '../../language/german-terms.js';
import { legalReferences } from '../../language/legal-references.js';

/** A term that the question asks for, and the word it comes from. */
export interface AskedTerm {
  term: string;
  /** 1 for a word itself, less for a part of a compound, and for a spelling variant. */
  weight: number;
  word: string;
}

/** A term that the index has. */
export interface KnownTerm extends AskedTerm {
  id: number;
  /** Chunks that it stands in. */
  df: number;
}

export interface Question {
  text: string;
  terms: AskedTerm[];
  /** Canonical keys of the provisions it names. */
  provisions: string[];
}

/** Bounds the work of a question that is a whole page. */
const MOST_TERMS = 64;
const MOST_PROVISIONS = 20;

/** A question as the index understands it: the same analysis that the documents went through. */
export function questionOf(text: string): Question {
  const terms = new Map<string, AskedTerm>();
  for (const { term, weight, word } of termsOf(text)) {
    const known = terms.get(term);
    if (!known || known.weight < weight) terms.set(term, { term, weight, word });
  }
  const keys = legalReferences(text).flatMap(({ key }) => key ?? []);
  return {
    text,
    terms: [...terms.values()].slice(0, MOST_TERMS),
    provisions: [...new Set(keys)].slice(0, MOST_PROVISIONS),
  };
}
