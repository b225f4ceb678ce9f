import { BandTable } from './band-table.js';
import { IdTable } from './id-table.js';
import { HEAD, MinHasher, PERMUTATIONS, shinglesIn, type Signature } from './min-hash.js';
import { SignatureStore } from './signature-store.js';
import { bound, similarity } from './similarity.js';

const ROWS = 4;
/** Pairs of similarity s meet in a band with probability 1 - (1 - s^4)^32: 0.9999999 at 0.8, 0.23 at 0.3. */
const BANDS = PERMUTATIONS / ROWS;
const MOST_CANDIDATES = 1024;
/** So many removed documents are kept before their space is taken back. */
const MOST_REMOVED = 1024;

export interface Neighbour {
  id: string;
  /** Jaccard similarity of the shingles: exact for short texts, else estimated (see `similarity`). */
  jaccard: number;
}

/** What an index is made of; also what is written to a file. */
export interface IndexParts {
  signatures: SignatureStore;
  ids: IdTable;
}

/**
 * Finds texts that are nearly the same, by MinHash and locality-sensitive hashing. Everything lies in typed arrays: a
 * text of 2 kB takes some 2 kB. One text costs one signature and 32 look-ups, whatever the size of the index: a look-up
 * sees at most the 64 newest documents of its key.
 */
export class NearDuplicates {
  private signatures = new SignatureStore();
  private ids = new IdTable();
  private bands = newBands();
  private removed = 0;
  private readonly hasher = new MinHasher();
  private readonly found = new Uint32Array(MOST_CANDIDATES);

  /** @param threshold Jaccard similarity, 0 to 1, from which texts are near duplicates */
  constructor(private readonly threshold = 0.8) {
    if (!(threshold > 0 && threshold <= 1))
      throw new RangeError(`The threshold of near duplicates is above 0 and at most 1; got ${threshold}`);
  }

  /** Documents in the index. */
  get size(): number {
    return this.signatures.size - this.removed;
  }

  /** Of the typed arrays; the heap of JavaScript holds next to nothing. */
  get bytes(): number {
    return this.bands.reduce((sum, band) => sum + band.bytes, this.signatures.bytes + this.ids.allocated);
  }

  /**
   * Registers the text and answers the most similar one of those before it, null where none reaches the threshold. A
   * name that is there already is replaced.
   * @throws RangeError for a name that is empty or too long
   */
  add(id: string, text: string): Neighbour | null {
    this.remove(id);
    const signature = this.hasher.sign(text);
    const nearest = this.nearestTo(signature);
    this.put(id, signature);
    return nearest;
  }

  /** The most similar document, without registering the text. */
  nearest(text: string): Neighbour | null {
    return this.nearestTo(this.hasher.sign(text));
  }

  /** @returns whether it was there */
  remove(id: string): boolean {
    const document = this.ids.find(id);
    if (document === undefined) return false;
    this.signatures.markRemoved(document);
    this.ids.forget(id);
    this.removed += 1;
    if (this.removed > MOST_REMOVED && this.removed > this.size) this.compact();
    return true;
  }

  parts(): IndexParts {
    return { signatures: this.signatures, ids: this.ids };
  }

  /** Registers a new text by the signature that it had before. */
  put(id: string | Uint8Array, signature: Signature): void {
    this.ids.add(id);
    const document = this.signatures.add(signature);
    for (const [place, band] of this.bands.entries()) band.put(document, keyOf(signature, place, document));
  }

  private nearestTo(signature: Signature): Neighbour | null {
    if (shinglesIn(signature) === 0) return null;
    let best = -1;
    let highest = this.threshold;
    for (const document of this.candidates(signature)) {
      const other = this.signatures.get(document);
      if (bound(signature, other) < highest) continue;
      const jaccard = similarity(signature, other);
      if (jaccard < highest || (jaccard === highest && best !== -1)) continue;
      [best, highest] = [document, jaccard];
    }
    return best === -1 ? null : { id: this.ids.idOf(best), jaccard: highest };
  }

  /** Ascending, each once. */
  private candidates(signature: Signature): number[] {
    let count = 0;
    for (const [place, band] of this.bands.entries())
      count = band.collect(keyOf(signature, place, 0), this.found, count);
    const sorted = this.found.subarray(0, count).toSorted();
    return [...sorted].filter((document, at) => document !== sorted[at - 1]);
  }

  /** Takes back the space of what was removed. */
  private compact(): void {
    const { signatures, ids } = this;
    this.signatures = new SignatureStore();
    this.ids = new IdTable();
    this.bands = newBands();
    this.removed = 0;
    for (let document = 0; document < signatures.size; document += 1)
      if (!signatures.isRemoved(document)) this.put(ids.idOf(document), signatures.get(document));
  }
}

const newBands = (): BandTable[] => Array.from({ length: BANDS }, (_, place) => new BandTable(place / BANDS));

/** Of a text without words: the number of the document, so that such texts share no chain. */
function keyOf(signature: Signature, band: number, document: number): number {
  if (shinglesIn(signature) === 0) return document;
  let key = band;
  for (let at = HEAD + band * ROWS; at < HEAD + (band + 1) * ROWS; at += 1) {
    key = Math.imul(key ^ (signature[at] ?? 0), 0x9e3779b1);
    key ^= key >>> 15;
  }
  return key;
}
