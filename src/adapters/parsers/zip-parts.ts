import { crc32 } from 'node:zlib';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import { messageOf } from '../../kernel/errors.js';
import { UnreadableFile } from '../../modules/documents/document-parser.port.js';
import { megabytes, type SourceFile } from './source-file.js';

const MOST_PARTS = 20_000;

/** Names of the entries of a ZIP file, at most 20,000; null where it is none that can be opened. */
export async function zipNames(path: string): Promise<string[] | null> {
  try {
    const names: string[] = [];
    for await (const entry of (await openPromise(path)).eachEntry()) {
      names.push(entry.fileName);
      if (names.length >= MOST_PARTS) break;
    }
    return names;
  } catch {
    // The caller says what is wrong with the file.
    return null;
  }
}

/** Parts of a packed document by name, unpacked. */
export type Parts = ReadonlyMap<string, Buffer>;

/**
 * Unpacks the parts that are wanted; sizes and checksums are counted, not believed.
 * @param wanted by name
 * @throws UnreadableFile broken, encrypted, or too_large where all together pass the file's `maxBytes`
 */
export async function zipParts(file: SourceFile, wanted: (name: string) => boolean): Promise<Parts> {
  let zip: ZipFile;
  try {
    zip = await openPromise(file.path);
  } catch (error) {
    throw brokenZip(messageOf(error));
  }
  const parts = new Map<string, Buffer>();
  let left = file.maxBytes;
  let entries = 0;
  try {
    for await (const entry of zip.eachEntry()) {
      if (++entries > MOST_PARTS) throw brokenZip(`more than ${MOST_PARTS} parts`);
      if (!wanted(entry.fileName)) continue;
      const part = await partOf(zip, entry, left, file.maxBytes);
      left -= part.length;
      parts.set(entry.fileName, part);
    }
  } catch (error) {
    throw error instanceof UnreadableFile ? error : brokenZip(messageOf(error));
  } finally {
    zip.close();
  }
  return parts;
}

const brokenZip = (why: string): UnreadableFile =>
  new UnreadableFile('broken', `The file is damaged: ${why}. Save it again with the program that made it.`);

async function partOf(zip: ZipFile, entry: Entry, left: number, most: number): Promise<Buffer> {
  if (entry.isEncrypted())
    throw new UnreadableFile('encrypted', 'The document is protected by a password. Save it without one.');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > left)
      throw new UnreadableFile(
        'too_large',
        `Unpacked, the document has more than ${megabytes(most)}. Split it, or raise CLARA_MAX_FILE_MB.`,
      );
    chunks.push(chunk);
  }
  const part = Buffer.concat(chunks);
  if (crc32(part) !== entry.crc32) throw brokenZip(`the checksum of ${entry.fileName} does not fit`);
  return part;
}
