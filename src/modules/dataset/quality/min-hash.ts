import { Shingler } from './shingles.js';

/** Looked up once: where globals are intercepted, as in tests, each look-up costs more than the multiplication. */
const { imul } = Math;

/** Minima of a signature, one for each permutation. */
export const PERMUTATIONS = 128;
/** At most so many of the smallest shingle hashes are kept beside the minima. */
export const SAMPLE = 512;
/** Numbers before the minima. */
export const HEAD = 2;
const LARGEST = 0x7fffffff;
/** The permutations come from this seed: signatures of one seed can be compared, also after a restart. */
export const SEED = 0x5eed0128;

/**
 * What is kept of a text: `[distinct shingles, length of the sample, 128 minima, the smallest distinct shingle hashes
 * ascending, at most 512]`. The minima make the bands; the sample and the minima together the estimate.
 */
export type Signature = Uint32Array;

export const shinglesIn = (signature: Signature): number => signature[0] ?? 0;
/** @param head the first numbers of a signature */
export const lengthOf = (head: Uint32Array): number => HEAD + PERMUTATIONS + (head[1] ?? 0);

/** SplitMix32 (a Weyl sequence through a mixer): deterministic, and good enough to draw multipliers from. */
function numbersFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = imul(z, 0x735a2d97);
    return z ^ (z >>> 15);
  };
}

/**
 * Signs texts by MinHash (Broder 1997). Permutation i maps a shingle's hash h to a_i * h + b_i mod 2^32 with an odd a_i,
 * ordered as signed numbers: no two hashes become one, and a multiplication of 32 bits is all it costs.
 */
export class MinHasher {
  private readonly multipliers = new Int32Array(PERMUTATIONS);
  private readonly increments = new Int32Array(PERMUTATIONS);
  private readonly shingler = new Shingler();

  constructor() {
    const next = numbersFrom(SEED);
    for (let at = 0; at < PERMUTATIONS; at += 1) {
      this.multipliers[at] = next() | 1;
      this.increments[at] = next();
    }
  }

  sign(text: string): Signature {
    const shingles = this.shingler.shinglesOf(text);
    const sample = shingles.subarray(0, SAMPLE);
    const signature = new Uint32Array(HEAD + PERMUTATIONS + sample.length);
    signature[0] = shingles.length;
    signature[1] = sample.length;
    this.minima(shingles, signature);
    signature.set(sample, HEAD + PERMUTATIONS);
    return signature;
  }

  private minima(shingles: Uint32Array, signature: Uint32Array): void {
    for (let at = 0; at < PERMUTATIONS; at += 4) this.fourMinima(at, shingles, signature);
  }

  /** Four permutations in one walk over the shingles; comparing and branching is twice as fast as Math.min here. */
  private fourMinima(at: number, shingles: Uint32Array, signature: Uint32Array): void {
    const { multipliers: a, increments: b } = this;
    const [a0, a1, a2, a3] = [a[at] ?? 1, a[at + 1] ?? 1, a[at + 2] ?? 1, a[at + 3] ?? 1];
    const [b0, b1, b2, b3] = [b[at] ?? 0, b[at + 1] ?? 0, b[at + 2] ?? 0, b[at + 3] ?? 0];
    let m0 = LARGEST;
    let m1 = LARGEST;
    let m2 = LARGEST;
    let m3 = LARGEST;
    for (let place = 0; place < shingles.length; place += 1) {
      const hash = (shingles[place] ?? 0) | 0;
      const x0 = (imul(a0, hash) + b0) | 0;
      const x1 = (imul(a1, hash) + b1) | 0;
      const x2 = (imul(a2, hash) + b2) | 0;
      const x3 = (imul(a3, hash) + b3) | 0;
      if (x0 < m0) m0 = x0;
      if (x1 < m1) m1 = x1;
      if (x2 < m2) m2 = x2;
      if (x3 < m3) m3 = x3;
    }
    signature.set([m0, m1, m2, m3], HEAD + at);
  }
}
