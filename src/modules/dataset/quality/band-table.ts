import { grown } from './signature-store.js';

const FIRST_SLOTS = 1024;
/** Documents of one key that a question looks at, the newest first. */
export const MOST_OF_KEY = 64;
/** Steps along one chain, other keys of the slot included. */
const MOST_STEPS = 4096;

/**
 * Documents by the key of one band: slots with the newest document of a chain, and for each document its key and the one
 * before. Typed arrays only: 8 bytes a document and 2 to 4 for the slots.
 */
export class BandTable {
  private slots = new Uint32Array(FIRST_SLOTS);
  /** `[key, number of the next document + 1]` of each document. */
  private links: Uint32Array<ArrayBuffer>;

  /** @param lateness 0 to 1: the tables of an index grow one after the other, so that no single call waits for all */
  constructor(private readonly lateness: number) {
    this.links = new Uint32Array(2 * Math.ceil(FIRST_SLOTS * (1 + lateness)));
  }

  /** Documents are put in the order of their numbers, from 0, without gaps. */
  put(document: number, key: number): void {
    while (2 * document + 1 >= this.links.length) this.links = grown(this.links);
    if (document > this.slots.length * (1 + this.lateness)) this.spread(document);
    this.link(document, key >>> 0);
  }

  /** Writes the documents of the key into `found`, at most 64; answers how many. */
  collect(key: number, found: Uint32Array): number {
    const { slots, links } = this;
    const wanted = key >>> 0;
    let count = 0;
    let next = slots[wanted & (slots.length - 1)] ?? 0;
    for (let step = 0; next !== 0 && count < MOST_OF_KEY && step < MOST_STEPS; step += 1) {
      const place = 2 * (next - 1);
      if (links[place] === wanted) {
        found[count] = next - 1;
        count += 1;
      }
      next = links[place + 1] ?? 0;
    }
    return count;
  }

  get bytes(): number {
    return this.slots.byteLength + this.links.byteLength;
  }

  private link(document: number, key: number): void {
    const slot = key & (this.slots.length - 1);
    this.links[2 * document] = key;
    this.links[2 * document + 1] = this.slots[slot] ?? 0;
    this.slots[slot] = document + 1;
  }

  /** Doubles the slots; chains keep the newest first. */
  private spread(documents: number): void {
    this.slots = new Uint32Array(this.slots.length * 2);
    for (let document = 0; document < documents; document += 1) this.link(document, this.links[2 * document] ?? 0);
  }
}
