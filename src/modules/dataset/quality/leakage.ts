import { share, type Finding } from './finding.js';
import { contentHash } from './normalised.js';
import { NearDuplicates } from './near-duplicates.js';

export interface SplitRow {
  id: string;
  split: 'train' | 'validation' | 'test';
  text: string;
  /** The document the row was made from; null where there is none. */
  documentId: string | null;
}

/** A row of validation or test that a row of train gives away. */
export interface Leak {
  id: string;
  split: 'validation' | 'test';
  how: 'same_text' | 'near_duplicate' | 'same_document';
  /** Id of the row of train; for `same_document` the first of that document. */
  trainId: string;
  /** 1 but for near duplicates. */
  jaccard: number;
}

/** Leaks from train into validation and test, the gravest one of each row. Texts are read once; rows may come from a stream. */
export class LeakFinder {
  private readonly hashes = new Map<string, string>();
  private readonly documents = new Map<string, string>();
  private readonly texts: NearDuplicates;

  /** @param threshold Jaccard similarity from which two texts are near duplicates */
  constructor(threshold?: number) {
    this.texts = new NearDuplicates(threshold);
  }

  /** All rows of train come first. */
  learn({ id, text, documentId }: SplitRow): void {
    const hash = contentHash(text);
    if (!this.hashes.has(hash)) this.hashes.set(hash, id);
    if (documentId !== null && !this.documents.has(documentId)) this.documents.set(documentId, id);
    this.texts.add(id, text);
  }

  /** @returns null for a row of train, and for one that train does not give away */
  leakOf({ id, split, text, documentId }: SplitRow): Leak | null {
    if (split === 'train') return null;
    const same = this.hashes.get(contentHash(text));
    if (same !== undefined) return { id, split, how: 'same_text', trainId: same, jaccard: 1 };
    const near = this.texts.nearest(text);
    if (near) return { id, split, how: 'near_duplicate', trainId: near.id, jaccard: near.jaccard };
    const sibling = documentId === null ? undefined : this.documents.get(documentId);
    return sibling === undefined ? null : { id, split, how: 'same_document', trainId: sibling, jaccard: 1 };
  }
}

/** The leaks of a whole set that lies in memory. */
export function leaksOf(rows: readonly SplitRow[], threshold?: number): Leak[] {
  const finder = new LeakFinder(threshold);
  for (const row of rows) if (row.split === 'train') finder.learn(row);
  return rows.map((row) => finder.leakOf(row)).filter((leak) => leak !== null);
}

const words = {
  same_text: 'The same text is in the training split',
  near_duplicate: 'Nearly the same text is in the training split',
  same_document: 'Another row of the same document is in the training split',
} satisfies Record<Leak['how'], string>;

/** @param leak of the row; null where none was found */
export function checkLeakage(leak: Leak | null): Finding {
  if (leak === null)
    return { check: 'leakage', score: 1, verdict: 'ok', reason: 'The training split does not give the row away' };
  const { how, split, trainId, jaccard } = leak;
  return {
    check: 'leakage',
    score: how === 'same_document' ? 0.5 : share(1 - jaccard),
    verdict: how === 'same_document' ? 'warn' : 'reject',
    reason: `${words[how]}: row ${trainId}`,
    detail: { how, split, of: trainId, jaccard: share(jaccard) },
  };
}
