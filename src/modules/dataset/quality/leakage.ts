import { setImmediate } from 'node:timers/promises';
import { share, type Finding } from './finding.js';
import type { Signature } from './min-hash.js';
import { NearDuplicates } from './near-duplicates.js';

export interface SplitRow {
  id: string;
  split: 'train' | 'validation' | 'test';
  signature: Signature;
  /** The document the row was made from; null where there is none. */
  documentId: string | null;
}

/** A row of validation or test that a row of train gives away, or one of test that validation does. */
export interface Leak {
  id: string;
  split: 'validation' | 'test';
  how: 'same_text' | 'near_duplicate' | 'same_document';
  /** Id of the row that gives it away; for `same_document` the first of that document. */
  of: string;
  /** 1 but for near duplicates. */
  jaccard: number;
}

const ORDER = ['train', 'validation', 'test'] as const;
const AT_ONCE = 500;

/** What the splits before that of a row know. */
class Known {
  private readonly documents = new Map<string, string>();
  private readonly texts: NearDuplicates;

  constructor(threshold?: number) {
    this.texts = new NearDuplicates(threshold);
  }

  learn({ id, signature, documentId }: SplitRow): void {
    if (documentId !== null && !this.documents.has(documentId)) this.documents.set(documentId, id);
    this.texts.putAll([{ id, signature }]);
  }

  leakOf({ id, split, signature, documentId }: SplitRow): Leak | null {
    if (split === 'train') return null;
    const near = this.texts.nearestTo(signature);
    if (near) {
      const how = near.jaccard === 1 ? 'same_text' : 'near_duplicate';
      return { id, split, how, of: near.id, jaccard: near.jaccard };
    }
    const sibling = documentId === null ? undefined : this.documents.get(documentId);
    return sibling === undefined ? null : { id, split, how: 'same_document', of: sibling, jaccard: 1 };
  }
}

/**
 * Leaks of the rows of a whole set, the gravest one of each; lets the event loop turn between them.
 * @param rows gives them anew at each call
 * @param threshold Jaccard similarity from which two texts are near duplicates
 */
export async function leaksOf(rows: () => Iterable<SplitRow>, threshold?: number): Promise<Leak[]> {
  const known = new Known(threshold);
  const leaks: Leak[] = [];
  for (const split of ORDER) {
    const kept: SplitRow[] = [];
    let seen = 0;
    for (const row of rows()) {
      if (row.split !== split) continue;
      const leak = known.leakOf(row);
      if (leak) leaks.push(leak);
      if (leak === null || leak.how === 'same_document') kept.push(row);
      seen += 1;
      if (seen % AT_ONCE === 0) await setImmediate();
    }
    for (const row of kept) known.learn(row);
  }
  return leaks;
}

const words = {
  same_text: 'The same text is in another split',
  near_duplicate: 'Nearly the same text is in another split',
  same_document: 'Another row of the same document is in another split',
} satisfies Record<Leak['how'], string>;

/** @param leak of the row; null where none was found */
export function checkLeakage(leak: Leak | null): Finding {
  if (leak === null) return { check: 'leakage', score: 1, verdict: 'ok', reason: 'No other split gives the row away' };
  const { how, split, of, jaccard } = leak;
  return {
    check: 'leakage',
    score: how === 'same_document' ? 0.5 : share(1 - jaccard),
    verdict: how === 'same_document' ? 'warn' : 'reject',
    reason: `${words[how]}: row ${of}`,
    detail: { how, split, of, jaccard: share(jaccard) },
  };
}
