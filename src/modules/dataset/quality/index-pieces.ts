import { crc32 } from 'node:zlib';
import { SAMPLE, lengthOf } from './min-hash.js';
import type { IndexParts, NamedSignature } from './near-duplicates.js';

/** Numbers of 32 bits in a piece, 4 MiB; each piece stands for itself. */
export const PIECE = 1 << 20;
/** `[numbers that follow, their CRC-32]` */
export const PIECE_HEAD = 2;
const LONGEST_NAME = 1200;
const LONGEST = 1 + LONGEST_NAME / 4 + lengthOf(Uint32Array.of(0, SAMPLE));

export interface Piece {
  documents: number;
  numbers: Uint32Array;
}

/** The documents of an index: length of the name in bytes, the name padded to whole numbers, the signature. */
export function* piecesOf({ signatures, ids }: IndexParts): Generator<Piece> {
  const last = signatures.size;
  for (let at = 0; at < last;) {
    const piece = new Uint32Array(PIECE);
    let [length, documents] = [PIECE_HEAD, 0];
    for (; at < last && length + LONGEST <= PIECE; at += 1) {
      if (signatures.isRemoved(at)) continue;
      const name = ids.nameOf(at);
      piece[length] = name.length;
      bytesOf(piece).set(name, 4 * (length + 1));
      length += 1 + Math.ceil(name.length / 4);
      piece.set(signatures.get(at), length);
      length += lengthOf(signatures.get(at));
      documents += 1;
    }
    piece.set([length - PIECE_HEAD, crc32(bytesOf(piece.subarray(PIECE_HEAD, length)))]);
    yield { documents, numbers: piece.subarray(0, length) };
  }
}

/**
 * The documents of a piece, views into it.
 * @param numbers without the head of the piece
 */
export function documentsOf(numbers: Uint32Array): NamedSignature[] {
  const documents: NamedSignature[] = [];
  for (let at = 0; at < numbers.length;) {
    const bytes = numbers[at] ?? 0;
    const start = at + 1 + Math.ceil(bytes / 4);
    const end = start + lengthOf(numbers.subarray(start));
    const id = bytesOf(numbers).subarray(4 * (at + 1), 4 * (at + 1) + bytes);
    documents.push({ id, signature: numbers.subarray(start, end) });
    at = end;
  }
  return documents;
}

export const bytesOf = (numbers: Uint32Array): Uint8Array =>
  new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
