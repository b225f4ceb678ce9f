import { share, type Finding } from './finding.js';
import type { Neighbour } from './near-duplicates.js';

/** @param original the id of the row that has the same content hash; null where there is none */
export function checkExactDuplicate(original: string | null): Finding {
  if (original === null)
    return { check: 'exact_duplicate', score: 1, verdict: 'ok', reason: 'No other row has the same text' };
  return {
    check: 'exact_duplicate',
    score: 0,
    verdict: 'reject',
    reason: `The same text, apart from case and punctuation, as row ${original}`,
    detail: { of: original },
  };
}

/** Another dataset may well have the same rows, so this never rejects one. @param neighbour a row of another dataset */
export function checkRegistered(neighbour: Neighbour | null): Finding {
  if (neighbour === null)
    return { check: 'registered_duplicate', score: 1, verdict: 'ok', reason: 'No other dataset has a row like it' };
  const { id, jaccard } = neighbour;
  return {
    check: 'registered_duplicate',
    score: share(1 - jaccard),
    verdict: 'warn',
    reason: `${jaccard === 1 ? 'The same text' : 'Nearly the same text'} is in another dataset: ${id}`,
    detail: { of: id, jaccard: share(jaccard) },
  };
}

/** From here on two rows teach nothing different. */
const NEARLY_SAME = 0.95;

/** @param neighbour what the index of near duplicates answered */
export function checkNearDuplicate(neighbour: Neighbour | null): Finding {
  if (neighbour === null)
    return { check: 'near_duplicate', score: 1, verdict: 'ok', reason: 'No other row is nearly the same' };
  const percent = Math.round(neighbour.jaccard * 100);
  return {
    check: 'near_duplicate',
    score: share(1 - neighbour.jaccard),
    verdict: neighbour.jaccard >= NEARLY_SAME ? 'reject' : 'warn',
    reason: `${percent} % of the five-word sequences are those of row ${neighbour.id}`,
    detail: { of: neighbour.id, jaccard: share(neighbour.jaccard) },
  };
}
