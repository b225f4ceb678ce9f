const MAGIC = 0x184d2204;
const SKIPPABLE = 0x184d2a50;
const LEAST_MATCH = 4;

/** What is not LZ4, or holds more than it may. */
export class BrokenLz4 extends Error {}

class Output {
  length = 0;
  #bytes: Uint8Array;

  constructor(
    expected: number,
    private readonly most: number,
  ) {
    this.#bytes = new Uint8Array(Math.min(expected, most));
  }

  add(bytes: Uint8Array): void {
    this.#make(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Bytes of its own again; they may reach into what is being written. */
  repeat(offset: number, length: number): void {
    if (offset === 0 || offset > this.length) throw new BrokenLz4('a match points before the start');
    this.#make(length);
    const from = this.length - offset;
    if (offset >= length) this.#bytes.copyWithin(this.length, from, from + length);
    else for (let at = 0; at < length; at += 1) this.#bytes[this.length + at] = this.#bytes[from + at] ?? 0;
    this.length += length;
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  #make(more: number): void {
    const needed = this.length + more;
    if (needed > this.most) throw new BrokenLz4(`it holds more than ${this.most} bytes`);
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.min(this.most, Math.max(needed, this.#bytes.length * 2)));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
  }
}

class Input {
  at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  /** Little endian. */
  number(size: 1 | 2 | 4): number {
    const taken = this.take(size);
    return taken.reduceRight((value, byte) => value * 256 + byte, 0);
  }

  take(size: number): Uint8Array {
    if (this.at + size > this.bytes.length) throw new BrokenLz4('it ends in the middle');
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }

  /** A length of which 15 says that more follows. */
  length(first: number): number {
    if (first < 15) return first;
    let length = first;
    for (let byte = 255; byte === 255; length += byte) byte = this.number(1);
    return length;
  }
}

/** https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md; a match may reach into the blocks before. */
function readBlock(block: Input, output: Output): void {
  while (!block.isAtEnd) {
    const token = block.number(1);
    output.add(block.take(block.length(token >> 4)));
    if (block.isAtEnd) return;
    const offset = block.number(2);
    output.repeat(offset, block.length(token & 15) + LEAST_MATCH);
  }
}

interface Frame {
  hasBlockChecksum: boolean;
  hasChecksum: boolean;
}

function readHead(input: Input): Frame {
  const flags = input.number(1);
  if (flags >> 6 !== 1) throw new BrokenLz4('it is of an unknown version');
  if (flags & 1) throw new BrokenLz4('it needs a dictionary');
  input.take(1);
  if (flags & 8) input.take(8);
  input.take(1);
  return { hasBlockChecksum: (flags & 16) !== 0, hasChecksum: (flags & 4) !== 0 };
}

function readFrame(input: Input, output: Output): void {
  const { hasBlockChecksum, hasChecksum } = readHead(input);
  for (;;) {
    const size = input.number(4);
    if (size === 0) break;
    const isPlain = size >= 0x80000000;
    const block = input.take(isPlain ? size - 0x80000000 : size);
    if (isPlain) output.add(block);
    else readBlock(new Input(block), output);
    if (hasBlockChecksum) input.take(4);
  }
  if (hasChecksum) input.take(4);
}

/**
 * Unpacks LZ4 frames, one after the other; checksums are not compared. hyparquet-compressors knows single blocks only:
 * neither frames nor blocks that reach into those before, nor a limit.
 * Source: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 * @param most bytes that may come of it
 * @throws BrokenLz4
 */
export function unpackLz4(packed: Uint8Array, most: number): Uint8Array {
  const input = new Input(packed);
  const output = new Output(packed.length * 4, most);
  while (!input.isAtEnd) {
    const magic = input.number(4);
    if (magic === MAGIC) readFrame(input, output);
    else if (magic - (magic % 16) === SKIPPABLE) input.take(input.number(4));
    else throw new BrokenLz4('it is no LZ4 frame');
  }
  return output.bytes;
}
