import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { endianness } from 'node:os';
import { crc32 } from 'node:zlib';
import { PIECE, PIECE_HEAD, bytesOf, documentsOf, piecesOf } from './index-pieces.js';
import { PERMUTATIONS, SAMPLE, SEED, type Signature } from './min-hash.js';
import { NearDuplicates } from './near-duplicates.js';

/** "CNDX" and the version of the form and of the shingles; the rest says by what the signatures were made. */
const KIND = [0x58444e43, 1, SEED, PERMUTATIONS, SAMPLE];

/** The file is not that of an index, is damaged, or was made by other permutations. */
export class IndexFileError extends Error {
  override readonly name = 'IndexFileError';

  constructor(path: string, problem: string) {
    super(`${path} ${problem}. Remove the file; the index is made anew from the rows.`);
  }
}

/**
 * Writes the index beside the file and then in its place, so that a kill leaves the old one. What is added meanwhile is
 * not in it. Numbers of 32 bits, little-endian: KIND, the count of documents, then pieces of 4 MiB.
 * @throws Error of the file system
 */
export async function saveNearDuplicates(index: NearDuplicates, path: string): Promise<void> {
  checkMachine();
  const partial = `${path}.partial`;
  const file = await open(partial, 'w');
  try {
    await writeAll(index, file);
    await file.sync();
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await rename(partial, path);
}

/**
 * Reads an index; no signature is computed again.
 * @param threshold see {@link NearDuplicates}
 * @throws IndexFileError; Error of the file system, its code ENOENT where there is no file
 */
export async function loadNearDuplicates(path: string, threshold?: number): Promise<NearDuplicates> {
  checkMachine();
  const file = await open(path, 'r');
  try {
    const index = new NearDuplicates(threshold);
    const documents = await readHeader(file, path);
    while (index.size < documents) index.putAll(documentsOf(await readPiece(file, path)));
    const { bytesRead } = await file.read(Buffer.alloc(1), 0, 1);
    if (index.size > documents || bytesRead > 0) throw new IndexFileError(path, 'holds more than it says');
    return index;
  } finally {
    await file.close();
  }
}

export interface KeptDocument {
  /** In UTF-8. */
  name: Uint8Array;
  signature: Signature;
}

/** The documents of a file one after the other, never more than a piece in memory. @throws as {@link loadNearDuplicates} */
export async function* keptDocuments(path: string): AsyncGenerator<KeptDocument> {
  checkMachine();
  const file = await open(path, 'r');
  try {
    const documents = await readHeader(file, path);
    for (let seen = 0; seen < documents;)
      for (const { id, signature } of documentsOf(await readPiece(file, path))) {
        seen += 1;
        yield { name: typeof id === 'string' ? Buffer.from(id) : id, signature };
      }
  } finally {
    await file.close();
  }
}

async function writeAll(index: NearDuplicates, file: FileHandle): Promise<void> {
  await file.appendFile(bytesOf(Uint32Array.of(...KIND, 0)));
  let total = 0;
  for (const { documents, numbers } of piecesOf(index.parts())) {
    if (documents > 0) await file.appendFile(bytesOf(numbers));
    total += documents;
  }
  await file.write(bytesOf(Uint32Array.of(total)), 0, 4, KIND.length * 4);
}

/** @returns the count of documents */
async function readHeader(file: FileHandle, path: string): Promise<number> {
  const header = await read(file, path, KIND.length + 1);
  if (header[0] !== KIND[0]) throw new IndexFileError(path, 'is no index of near duplicates');
  if (KIND.some((number, place) => header[place] !== number))
    throw new IndexFileError(path, 'was written in another form or with other permutations');
  return header[KIND.length] ?? 0;
}

async function readPiece(file: FileHandle, path: string): Promise<Uint32Array> {
  const [length = 0, sum] = await read(file, path, PIECE_HEAD);
  if (length === 0 || length > PIECE) throw new IndexFileError(path, `is damaged: a piece of ${length} numbers`);
  const numbers = await read(file, path, length);
  if (crc32(bytesOf(numbers)) !== sum) throw new IndexFileError(path, 'is damaged: a check sum does not fit');
  return numbers;
}

async function read(file: FileHandle, path: string, length: number): Promise<Uint32Array> {
  const numbers = new Uint32Array(length);
  const bytes = bytesOf(numbers);
  for (let done = 0; done < bytes.length;) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done);
    if (bytesRead === 0) throw new IndexFileError(path, 'ends too early');
    done += bytesRead;
  }
  return numbers;
}

function checkMachine(): void {
  if (endianness() !== 'LE') throw new Error('The index of near duplicates is kept on little-endian machines only');
}
