import { createHash } from 'node:crypto';

export interface Candidate {
  id: string;
  /** Answers that run there. */
  running: number;
}

/** How much above the least loaded one a replica may stand and still keep its keys. */
const SLACK = 1.25;

/**
 * The least loaded candidate; among equal ones the first of the key's own order of them (rendezvous hashing: when a replica
 * comes or goes, only its own keys move). A sticky key may stay where the load is a quarter above the mean.
 */
export function chooseReplica<T extends Candidate>(
  candidates: readonly T[],
  key: string,
  load: 'least' | 'bounded',
): T | undefined {
  if (candidates.length < 2) return candidates[0];
  const least = Math.min(...candidates.map(({ running }) => running));
  const most = load === 'least' ? least : bound(candidates);
  const eligible = candidates.filter(({ running }) => running <= most);
  return eligible.reduce<{ best: T | undefined; weight: number }>(
    (found, candidate) => {
      const weight = weightOf(key, candidate.id);
      return found.best === undefined || weight > found.weight ? { best: candidate, weight } : found;
    },
    { best: undefined, weight: -1 },
  ).best;
}

/** Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam 2016): the request itself is counted. */
function bound(candidates: readonly Candidate[]): number {
  const total = candidates.reduce((sum, { running }) => sum + running, 1);
  return Math.ceil((SLACK * total) / candidates.length) - 1;
}

const weights = new Map<string, number>();
const REMEMBERED = 10_000;

/** Uniform in 0 .. 2^48. */
function weightOf(key: string, replica: string): number {
  const text = `${replica}\n${key}`;
  const known = weights.get(text);
  if (known !== undefined) return known;
  const weight = createHash('sha1').update(text).digest().readUIntBE(0, 6);
  if (weights.size >= REMEMBERED) weights.clear();
  weights.set(text, weight);
  return weight;
}
