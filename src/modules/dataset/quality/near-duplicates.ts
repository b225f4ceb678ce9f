import { setImmediate } from 'node:timers/promises';
import { BandTable, MOST_OF_KEY } from './band-table.js';
import { IdTable } from './id-table.js';
import { HEAD, MinHasher, PERMUTATIONS, shinglesIn, type Signature } from './min-hash.js';
import { grown, SignatureStore } from './signature-store.js';
import { bound, similarity } from './similarity.js';

/** Looked up once: where globals are intercepted, as in tests, each look-up costs more than the multiplication. */
const { imul } = Math;

const ROWS = 4;
/** Pairs of similarity s meet in a band with probability 1 - (1 - s^4)^32: 0.9999999 at 0.8, 0.23 at 0.3. */
const BANDS = PERMUTATIONS / ROWS;
/** Documents that are moved between two turns of the event loop: some 10 ms. */
const MOVED_AT_ONCE = 1000;

export interface Neighbour {
  id: string;
  /** Jaccard similarity of the shingles: exact for short texts, else estimated (see `similarity`). */
  jaccard: number;
}

/** A text that has been signed before; its name may be in UTF-8. */
export interface NamedSignature {
  id: string | Uint8Array;
  signature: Signature;
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
  private readonly found = new Uint32Array(MOST_OF_KEY);
  /** Of each document the search that looked at it last. */
  private seen: Uint32Array<ArrayBuffer> = new Uint32Array(1024);
  private turn = 0;
  /** What the index becomes, while it is compacted. */
  private next: NearDuplicates | null = null;

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
    return this.bands.reduce(
      (sum, band) => sum + band.bytes,
      this.signatures.bytes + this.ids.allocated + this.seen.byteLength,
    );
  }

  /**
   * Registers the text and answers the most similar one of those before it, null where none reaches the threshold. A
   * name that is there already is replaced.
   * @throws RangeError for a name that is empty or too long
   */
  add(id: string, text: string): Neighbour | null {
    this.remove(id);
    const signature = this.sign(text);
    const nearest = this.nearestTo(signature);
    this.putAll([{ id, signature }]);
    return nearest;
  }

  /** The most similar document, without registering the text. */
  nearest(text: string): Neighbour | null {
    return this.nearestTo(this.sign(text));
  }

  sign(text: string): Signature {
    return this.hasher.sign(text);
  }

  /** What the document is registered by; a view. */
  signatureOf(id: string): Signature | undefined {
    const document = this.ids.find(id);
    return document === undefined ? undefined : this.signatures.get(document);
  }

  /** Documents that were removed and still take their space. */
  get wasted(): number {
    return this.removed;
  }

  /**
   * The space is taken back by {@link compact}, and by a restart from the file.
   * @returns whether it was there
   */
  remove(id: string): boolean {
    const document = this.ids.find(id);
    if (document === undefined) return false;
    this.signatures.markRemoved(document);
    this.ids.forget(id);
    this.removed += 1;
    this.next?.remove(id);
    return true;
  }

  /** Takes back the space of what was removed, in steps between which the index answers and changes as always. */
  async compact(): Promise<void> {
    if (this.next) return;
    const next = new NearDuplicates(this.threshold);
    this.next = next;
    for (let document = 0; document < this.signatures.size; document += 1) {
      if (!this.signatures.isRemoved(document))
        next.putAll([{ id: this.ids.nameOf(document), signature: this.signatures.get(document) }]);
      if (document % MOVED_AT_ONCE === MOVED_AT_ONCE - 1) await setImmediate();
    }
    ({ signatures: this.signatures, ids: this.ids, bands: this.bands, removed: this.removed, seen: this.seen } = next);
    this.turn = 0;
    this.next = null;
  }

  parts(): IndexParts {
    return { signatures: this.signatures, ids: this.ids };
  }

  /** Registers new texts by the signatures that they had before. */
  putAll(documents: readonly NamedSignature[]): void {
    const first = this.signatures.size;
    for (const { id, signature } of documents) {
      this.ids.add(id);
      this.signatures.add(signature);
    }
    while (this.signatures.size > this.seen.length) this.seen = grown(this.seen);
    for (let band = 0; band < BANDS; band += 1) this.link(documents, band, first);
  }

  /** One band of all: its table stays in the cache. */
  private link(documents: readonly NamedSignature[], place: number, first: number): void {
    const band = this.bands[place];
    let number = first;
    for (const { signature } of documents) {
      band?.put(number, keyOf(signature, place, number));
      number += 1;
    }
  }

  /** The most similar document to a signature. Band by band; what is the same ends the search. */
  nearestTo(signature: Signature): Neighbour | null {
    if (shinglesIn(signature) === 0) return null;
    const best = { document: -1, jaccard: this.threshold };
    this.turn = (this.turn + 1) >>> 0;
    for (let band = 0; band < BANDS && !(best.jaccard === 1 && best.document !== -1); band += 1) {
      const count = this.bands[band]?.collect(keyOf(signature, band, 0), this.found) ?? 0;
      for (let at = 0; at < count; at += 1) this.compare(signature, this.found[at] ?? 0, best);
    }
    return best.document === -1 ? null : { id: this.ids.idOf(best.document), jaccard: best.jaccard };
  }

  private compare(signature: Signature, document: number, best: { document: number; jaccard: number }): void {
    if (this.seen[document] === this.turn) return;
    this.seen[document] = this.turn;
    const other = this.signatures.get(document);
    if (bound(signature, other) < best.jaccard) return;
    const jaccard = similarity(signature, other);
    if (jaccard > best.jaccard || (jaccard === best.jaccard && best.document === -1))
      Object.assign(best, { document, jaccard });
  }
}

const newBands = (): BandTable[] => Array.from({ length: BANDS }, (_, place) => new BandTable(place / BANDS));

/** Of a text without words: the number of the document, so that such texts share no chain. */
function keyOf(signature: Signature, band: number, document: number): number {
  if (shinglesIn(signature) === 0) return document;
  let key = band;
  for (let at = HEAD + band * ROWS; at < HEAD + (band + 1) * ROWS; at += 1) {
    key = imul(key ^ (signature[at] ?? 0), 0x9e3779b1);
    key ^= key >>> 15;
  }
  return key;
}
