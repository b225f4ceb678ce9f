import { HEAD, lengthOf, type Signature } from './min-hash.js';

/** Numbers of 32 bits in a block, 1 MiB; a signature lies in one block. */
const BLOCK = 1 << 18;
const FIRST = 1024;
const REMOVED = 0xffffffff;

/** Signatures one after the other in blocks of numbers; no object for a document. */
export class SignatureStore {
  readonly blocks: Uint32Array[] = [];
  private offsets = new Uint32Array(FIRST);
  private end = 0;
  size = 0;

  /** @returns the number of the document, counted from 0 */
  add(signature: Signature): number {
    const offset = this.placeFor(signature.length);
    this.blocks[blockOf(offset)]?.set(signature, offset % BLOCK);
    if (this.size === this.offsets.length) this.offsets = grown(this.offsets);
    this.offsets[this.size] = offset;
    this.end = offset + signature.length;
    this.size += 1;
    return this.size - 1;
  }

  /** A view, not a copy. */
  get(document: number): Signature {
    const offset = this.offsets[document];
    const block = offset === undefined || document >= this.size ? undefined : this.blocks[blockOf(offset)];
    if (offset === undefined || block === undefined) throw new RangeError(`There is no document ${document}`);
    const start = offset % BLOCK;
    return block.subarray(start, start + lengthOf(block.subarray(start, start + HEAD)));
  }

  /** The place stays taken until the index is compacted. */
  markRemoved(document: number): void {
    this.get(document)[0] = REMOVED;
  }

  isRemoved(document: number): boolean {
    return this.get(document)[0] === REMOVED;
  }

  get bytes(): number {
    return this.blocks.length * BLOCK * 4 + this.offsets.byteLength;
  }

  private placeFor(length: number): number {
    const offset =
      (this.end % BLOCK) + length > BLOCK || this.end % BLOCK === 0 ? this.blocks.length * BLOCK : this.end;
    if (blockOf(offset) === this.blocks.length) this.blocks.push(new Uint32Array(BLOCK));
    return offset;
  }
}

const blockOf = (offset: number): number => Math.floor(offset / BLOCK);

/** Twice as long while short, a quarter longer from there. */
export function grown(numbers: Uint32Array): Uint32Array<ArrayBuffer> {
  const more = numbers.length < 1 << 17 ? numbers.length : numbers.length >> 2;
  const larger = new Uint32Array(numbers.length + more);
  larger.set(numbers);
  return larger;
}
