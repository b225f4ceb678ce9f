/** Looked up once: where globals are intercepted, as in tests, each look-up costs more than the multiplication. */
const { imul } = Math;
const WORDS = 5;
const WORD_SEED = 0x811c9dc5;
const WORD_PRIME = 0x01000193;
const SHINGLE_BASE = 0x2c1b3c6d;
/** The weight of the word that leaves a shingle of five. */
const LEAVING = [1, 2, 3, 4].reduce((power) => imul(power, SHINGLE_BASE), 1);

let letters: Uint8Array | undefined;

/** By code unit: 1 for letters, marks, digits and halves of surrogate pairs, of which words are made. */
function wordUnits(): Uint8Array {
  letters ??= Uint8Array.from({ length: 0x10000 }, (_, unit) =>
    /[\p{L}\p{M}\p{N}\p{Cs}]/u.test(String.fromCharCode(unit)) ? 1 : 0,
  );
  return letters;
}

/** The finalizer of MurmurHash3: every bit of the input changes half of the output. */
function mixed(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * Cuts texts into shingles of five words that follow one another, each a hash of 32 bits. Words are runs of letters and
 * digits, in NFKC and lower case. A text of one to four words is one shingle of all of them; one without words has none.
 * The arrays it works in are kept from text to text.
 */
export class Shingler {
  private words = new Int32Array(1024);
  private hashes = new Uint32Array(1024);

  /** The distinct hashes, ascending. */
  shinglesOf(text: string): Uint32Array {
    const words = this.readWords(text.normalize('NFKC').toLowerCase());
    if (words === 0) return this.hashes.subarray(0, 0);
    const count = Math.max(1, words - WORDS + 1);
    if (this.hashes.length < count) this.hashes = new Uint32Array(this.words.length);
    this.roll(Math.min(words, WORDS), count);
    return distinct(this.hashes.subarray(0, count).toSorted());
  }

  /** Hashes of the words (FNV-1a over code units, mixed) into `words`; answers how many. */
  private readWords(text: string): number {
    const inWord = wordUnits();
    let count = 0;
    let hash = WORD_SEED;
    let open = false;
    for (let at = 0; at < text.length; at += 1) {
      const unit = text.charCodeAt(at);
      if (inWord[unit] === 1) {
        hash = imul(hash ^ unit, WORD_PRIME);
        open = true;
      } else if (open) {
        this.put(count, hash);
        count += 1;
        hash = WORD_SEED;
        open = false;
      }
    }
    if (open) this.put(count, hash);
    return open ? count + 1 : count;
  }

  private put(place: number, hash: number): void {
    if (place === this.words.length) {
      const larger = new Int32Array(place * 2);
      larger.set(this.words);
      this.words = larger;
    }
    this.words[place] = mixed(hash);
  }

  /** A polynomial over the words of the window, moved on by one word at a time. */
  private roll(width: number, count: number): void {
    const { words, hashes } = this;
    let window = 0;
    for (let at = 0; at < width; at += 1) window = (imul(window, SHINGLE_BASE) + (words[at] ?? 0)) | 0;
    hashes[0] = mixed(window);
    for (let at = 1; at < count; at += 1) {
      const rest = (window - imul(words[at - 1] ?? 0, LEAVING)) | 0;
      window = (imul(rest, SHINGLE_BASE) + (words[at + WORDS - 1] ?? 0)) | 0;
      hashes[at] = mixed(window);
    }
  }
}

/** Moves the distinct values of a sorted array to its front. */
function distinct(sorted: Uint32Array): Uint32Array {
  let kept = 1;
  for (let at = 1; at < sorted.length; at += 1) {
    const value = sorted[at] ?? 0;
    if (value === sorted[at - 1]) continue;
    sorted[kept] = value;
    kept += 1;
  }
  return sorted.subarray(0, kept);
}
