import { Transform } from 'node:stream';
import { crc32 } from 'node:zlib';
import { getFileNameLowLevel, openPromise, type Entry, type ZipFile } from 'yauzl';
import { UnreadableFile } from '../../modules/documents/document-parser.port.js';
import type { Unpacking } from './unpacking.js';

const TYPE_MASK = 0o170000;
const REGULAR = 0o100000;
const FOLDER = 0o040000;
/** Made by a system whose upper attribute bits are a Unix mode (APPNOTE 4.4.2). */
const UNIX = [3, 19];

/** ZIP and ZIP64. Links and devices are passed over; sizes and checksums are counted, not believed. */
export async function unzip(path: string, unpacking: Unpacking): Promise<void> {
  // Names are decoded here: the library would throw for one, and not say which.
  const zip = await openPromise(path, { decodeStrings: false });
  try {
    for await (const entry of zip.eachEntry()) await writeEntry(zip, entry, unpacking);
  } finally {
    zip.close();
  }
}

async function writeEntry(zip: ZipFile, entry: Entry, unpacking: Unpacking): Promise<void> {
  const name = getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, false);
  if (isSpecial(entry)) {
    unpacking.count.seen();
    return;
  }
  if (entry.isEncrypted())
    throw new UnreadableFile(
      'encrypted',
      `The entry "${name.slice(0, 200)}" is protected by a password. Pack it without one.`,
    );
  await unpacking.write(name, async () => {
    const content = await zip.openReadStreamPromise(entry);
    const sum = checked(entry, name);
    // A pipe hands errors to nobody.
    content.on('error', (error) => sum.destroy(error));
    return content.pipe(sum);
  });
}

function isSpecial(entry: Entry): boolean {
  const type = (entry.externalFileAttributes >>> 16) & TYPE_MASK;
  return UNIX.includes(entry.versionMadeBy >> 8) && type !== 0 && type !== REGULAR && type !== FOLDER;
}

function checked(entry: Entry, name: string): Transform {
  let sum = 0;
  const wrong = (): UnreadableFile =>
    new UnreadableFile('broken', `The archive is damaged: the checksum of "${name.slice(0, 200)}" does not fit.`);
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      sum = crc32(chunk, sum);
      done(null, chunk);
    },
    flush: (done) => done(sum === entry.crc32 ? null : wrong()),
  });
}
