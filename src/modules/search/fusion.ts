import type { Found } from './keyword-leg.js';

/** The legs whose scores are mixed; the others add to what these found. */
export type FusedLeg = 'keyword' | 'vector' | 'relational';

export interface Fused {
  chunkId: string;
  documentId: string;
  /** 0 to 1. */
  score: number;
  source: FusedLeg;
  ranks: Partial<Record<FusedLeg, { rank: number; score: number }>>;
}

export type Legs = Partial<Record<FusedLeg, readonly Found[]>>;
export type Weights = Readonly<Record<FusedLeg, number>>;

/** Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009). */
const RRF_K = 60;

/** Scores of one leg for one question, brought to 0 to 1: the best is 1; a leg of likenesses begins at its least. */
export function normalised(leg: FusedLeg, found: readonly Found[]): number[] {
  const scores = found.map(({ score }) => score);
  const best = Math.max(...scores, 0);
  // Likenesses all lie close together, far from 0: only their differences say something.
  const least = leg === 'vector' && scores.length > 1 ? Math.min(...scores) : 0;
  return scores.map((score) => (best > least ? (score - least) / (best - least) : 1));
}

/** Mixes the legs. Weights of legs that found nothing, or were not asked, go to the others. */
export function fuse(legs: Legs, weights: Weights, method: 'weighted' | 'rrf'): Fused[] {
  const present = (Object.keys(legs) as FusedLeg[]).filter((leg) => (legs[leg]?.length ?? 0) > 0 && weights[leg] > 0);
  const sum = present.reduce((total, leg) => total + weights[leg], 0);
  const fused = new Map<string, Fused & { parts: Partial<Record<FusedLeg, number>> }>();
  for (const leg of present) {
    const found = legs[leg] ?? [];
    const scores = normalised(leg, found);
    found.forEach(({ chunkId, documentId, score }, index) => {
      const known = fused.get(chunkId) ?? { chunkId, documentId, score: 0, source: leg, ranks: {}, parts: {} };
      const share = weights[leg] / sum;
      const part = share * (method === 'rrf' ? (RRF_K + 1) / (RRF_K + 1 + index) : (scores[index] ?? 0));
      known.ranks[leg] = { rank: index + 1, score };
      known.parts[leg] = part;
      known.score += part;
      fused.set(chunkId, known);
    });
  }
  return [...fused.values()]
    .map(({ parts, ...hit }) => ({ ...hit, source: strongest(parts, hit.source) }))
    .toSorted(byScore);
}

const byScore = (one: Fused, other: Fused): number => other.score - one.score || (one.chunkId < other.chunkId ? -1 : 1);

function strongest(parts: Partial<Record<FusedLeg, number>>, first: FusedLeg): FusedLeg {
  return (Object.entries(parts) as [FusedLeg, number][]).reduce(
    (best, [leg, part]) => (part > (parts[best] ?? 0) ? leg : best),
    first,
  );
}
