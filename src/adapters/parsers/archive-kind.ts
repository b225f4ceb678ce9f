import { open, stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import type { ArchiveKind } from '../../modules/documents/archive-reader.port.js';
import { isZipArchive } from './packed-kind.js';
import { headOf } from './source-file.js';

const HEAD_BYTES = 65_536;
const TAR_BLOCK = 512;
const TAR_SUM = 148;

const starts = (head: Buffer, bytes: readonly number[]): boolean => bytes.every((byte, at) => head[at] === byte);

/** A gzip that holds a tar is one of its own, seen from the outside as `gz`. */
export type PackedAs = ArchiveKind | '7z' | 'tgz';

/** What an archive is by its content; null: none. */
export async function archiveKind(path: string): Promise<PackedAs | null> {
  const head = await headOf(path, HEAD_BYTES);
  if (starts(head, [0x52, 0x61, 0x72, 0x21, 0x1a, 0x07])) return 'rar';
  if (starts(head, [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c])) return '7z';
  if (starts(head, [0x1f, 0x8b, 0x08])) return isTar(await firstUnpacked(path)) ? 'tgz' : 'gz';
  if (starts(head, [0x50, 0x4b, 3, 4]) || starts(head, [0x50, 0x4b, 5, 6]) || starts(head, [0x50, 0x4b, 7, 8])) {
    const { size } = await stat(path);
    return (await isZipArchive({ path, filename: '', bytes: size, maxBytes: 0, ocr: null }, head)) ? 'zip' : null;
  }
  return isTar(head) ? 'tar' : null;
}

/** By the checksum of the first header, as every tar since Unix V7 has it; an empty tar is two blocks of zeros. */
function isTar(block: Buffer): boolean {
  if (block.length < TAR_BLOCK || block[0] === 0) return false;
  const said = Number.parseInt(
    block
      .subarray(TAR_SUM, TAR_SUM + 8)
      .toString('latin1')
      .replace(/[\0 ]+/g, ''),
    8,
  );
  let sum = 0;
  for (let at = 0; at < TAR_BLOCK; at++) sum += at >= TAR_SUM && at < TAR_SUM + 8 ? 32 : (block[at] ?? 0);
  return said === sum;
}

async function firstUnpacked(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  const gunzip = createGunzip();
  try {
    const parts: Buffer[] = [];
    let size = 0;
    const stream = file.createReadStream({ end: HEAD_BYTES, autoClose: false });
    stream.on('error', (error) => gunzip.destroy(error));
    for await (const part of stream.pipe(gunzip) as AsyncIterable<Buffer>) {
      parts.push(part);
      size += part.length;
      if (size >= TAR_BLOCK) break;
    }
    return Buffer.concat(parts);
  } catch {
    // A damaged stream is reported when it is unpacked.
    return Buffer.alloc(0);
  } finally {
    gunzip.destroy();
    await file.close();
  }
}
