import { HEAD, PERMUTATIONS, SAMPLE, shinglesIn, type Signature } from './min-hash.js';

const FIRST = HEAD + PERMUTATIONS;
/** Above every hash. */
const NO_MORE = 2 ** 32;

/**
 * The Jaccard similarity of the shingles of two texts, 0 to 1: exact where both have at most 512 distinct shingles.
 * Longer ones are estimated by the smallest 512 hashes of the union (bottom-k, drawn without putting back) and by the
 * 128 minima, each weighted by the inverse of its variance. Standard error at 0.8 with very many shingles: 0.016. A text without words is similar to none.
 */
export function similarity(one: Signature, other: Signature): number {
  const [least, most] = [Math.min(shinglesIn(one), shinglesIn(other)), Math.max(shinglesIn(one), shinglesIn(other))];
  if (least === 0) return 0;
  const sampled = sampledSimilarity(one, other);
  if (most <= SAMPLE) return sampled;
  const union = Math.max(SAMPLE + 1, (least + most) / (1 + sampled));
  const weight = SAMPLE / (1 - SAMPLE / union);
  const estimate = (weight * sampled + PERMUTATIONS * equalMinima(one, other)) / (weight + PERMUTATIONS);
  return Math.min(estimate, least / most);
}

/** No two texts with so many shingles are more similar. */
export function bound(one: Signature, other: Signature): number {
  const [a, b] = [shinglesIn(one), shinglesIn(other)];
  return Math.min(a, b) / Math.max(a, b, 1);
}

function equalMinima(one: Signature, other: Signature): number {
  let equal = 0;
  for (let at = HEAD; at < FIRST; at += 1) if (one[at] === other[at]) equal += 1;
  return equal / PERMUTATIONS;
}

/** Of the smallest hashes of the union: the share that both have. Walks both samples like the merge of two lists. */
function sampledSimilarity(one: Signature, other: Signature): number {
  let [a, b, seen, both] = [FIRST, FIRST, 0, 0];
  while (seen < SAMPLE && (a < one.length || b < other.length)) {
    const left = one[a] ?? NO_MORE;
    const right = other[b] ?? NO_MORE;
    if (left === right) both += 1;
    if (left <= right) a += 1;
    if (right <= left) b += 1;
    seen += 1;
  }
  return both / seen;
}
