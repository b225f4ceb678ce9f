import { termsOf } from '../../language/german-terms.js';
import type { TermWeights } from './keyword-index.js';
import type { StoredChunk } from './replica.port.js';

/** Raised with every change of what terms a text has (src/language, and here): documents are then analysed again. */
export const INDEX_ANALYSIS = 1;

/** Headings say what a chunk is about; a word in the nearest one counts as if it stood there twice. */
const HEADING_WEIGHT = 1.5;
const OUTER_WEIGHT = 0.5;

interface Titled {
  title: string;
  law: string | null;
}

/** What an embedder reads of a chunk: where it stands, then its text. */
export function embeddedText(title: string, { path, content }: Pick<StoredChunk, 'path' | 'content'>): string {
  return [title, ...path.slice(-2), content].join('\n');
}

/** The terms of a chunk with their weights: of its text, its headings and, lighter, what the whole document is called. */
export function termWeights(document: Titled, { path, content }: Pick<StoredChunk, 'path' | 'content'>): TermWeights {
  const weights = new Map<string, number>();
  const add = (text: string, factor: number): void => {
    for (const { term, weight } of termsOf(text)) weights.set(term, (weights.get(term) ?? 0) + weight * factor);
  };
  add(content, 1);
  path.forEach((heading, index) => add(heading, index === path.length - 1 ? HEADING_WEIGHT : OUTER_WEIGHT));
  add(`${document.title} ${document.law ?? ''}`, OUTER_WEIGHT);
  return weights;
}
