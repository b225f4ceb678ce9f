import { grown } from './signature-store.js';

/** Looked up once: where globals are intercepted, as in tests, each look-up costs more than the multiplication. */
const { imul } = Math;

const FIRST_SLOTS = 2048;
const LONGEST = 400;
const EMPTY = 0;
const GONE = 0xffffffff;

/** Names of documents by number and numbers by name: UTF-8 bytes in one array, an open-addressing table over them. */
export class IdTable {
  private bytes: Uint8Array<ArrayBuffer> = new Uint8Array(16_384);
  private starts: Uint32Array<ArrayBuffer> = new Uint32Array(1024);
  /** Number + 1 of the document, 0 where nothing was, or GONE. */
  private slots = new Uint32Array(FIRST_SLOTS);
  private used = 0;
  private readonly encoder = new TextEncoder();
  private readonly decoder = new TextDecoder();
  private readonly wanted = new Uint8Array(LONGEST * 3);
  size = 0;

  /**
   * Numbers count up from 0.
   * @param id or its UTF-8
   * @throws RangeError for an id that is empty or longer than 400 characters
   */
  add(id: string | Uint8Array): number {
    const name = typeof id === 'string' ? this.encoded(id) : id;
    this.makeRoom(name.length);
    const start = this.starts[this.size] ?? 0;
    this.bytes.set(name, start);
    this.starts[this.size + 1] = start + name.length;
    this.size += 1;
    this.insert(this.size - 1);
    return this.size - 1;
  }

  /** @returns the number of the newest document of that name; undefined where there is none */
  find(id: string): number | undefined {
    const slot = this.slotOf(this.encoded(id));
    return slot === undefined ? undefined : (this.slots[slot] ?? 0) - 1;
  }

  /** The name no longer leads to its number; the number keeps its name. */
  forget(id: string): void {
    const slot = this.slotOf(this.encoded(id));
    if (slot !== undefined) this.slots[slot] = GONE;
  }

  idOf(document: number): string {
    return this.decoder.decode(this.nameOf(document));
  }

  get allocated(): number {
    return this.bytes.byteLength + this.starts.byteLength + this.slots.byteLength;
  }

  private encoded(id: string): Uint8Array {
    if (id.length === 0 || id.length > LONGEST)
      throw new RangeError(`The id of a document has 1 to ${LONGEST} characters; this one has ${id.length}`);
    return this.wanted.subarray(0, this.encoder.encodeInto(id, this.wanted).written);
  }

  /** In UTF-8; a view. */
  nameOf(document: number): Uint8Array {
    return this.bytes.subarray(this.starts[document], this.starts[document + 1]);
  }

  private slotOf(name: Uint8Array): number | undefined {
    const last = this.slots.length - 1;
    for (let slot = hashOf(name) & last, steps = 0; steps <= last; slot = (slot + 1) & last, steps += 1) {
      const entry = this.slots[slot] ?? EMPTY;
      if (entry === EMPTY) return undefined;
      if (entry !== GONE && equal(this.nameOf(entry - 1), name)) return slot;
    }
    return undefined;
  }

  private insert(document: number): void {
    const last = this.slots.length - 1;
    let slot = hashOf(this.nameOf(document)) & last;
    while (this.slots[slot] !== EMPTY) slot = (slot + 1) & last;
    this.slots[slot] = document + 1;
    this.used += 1;
  }

  private makeRoom(length: number): void {
    const end = (this.starts[this.size] ?? 0) + length;
    while (end > this.bytes.length) this.bytes = grownBytes(this.bytes);
    if (this.size + 1 === this.starts.length) this.starts = grown(this.starts);
    if (4 * (this.used + 1) > 3 * this.slots.length) this.spread();
  }

  /** Twice as many slots, without those that are gone. */
  private spread(): void {
    const entries = this.slots.filter((entry) => entry !== EMPTY && entry !== GONE);
    this.slots = new Uint32Array(this.slots.length * 2);
    this.used = 0;
    for (const entry of entries) this.insert(entry - 1);
  }
}

function grownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(bytes.length + Math.max(bytes.length >> 2, 16_384));
  larger.set(bytes);
  return larger;
}

/** FNV-1a, mixed once so that names that count up spread over the table. */
function hashOf(name: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at += 1) hash = imul(hash ^ (name[at] ?? 0), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at += 1) if (one[at] !== other[at]) return false;
  return true;
}
