import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createGunzip } from 'node:zlib';
import { headOf } from './source-file.js';
import type { Unpacking } from './unpacking.js';

const HEADER = 10;
const NAMED = 0x08;
const EXTRA = 0x04;
const LONGEST_NAME = 255;

/** One file in gzip, under the name that its header keeps (RFC 1952 2.3), else that of the archive. */
export async function gunzipFile(path: string, unpacking: Unpacking): Promise<void> {
  const name = storedName(await headOf(path, 4096)) ?? basename(path).replace(/\.gz$/i, '');
  const source = createReadStream(path);
  await unpacking.write(name || 'file', () => {
    const gunzip = createGunzip();
    source.on('error', (error) => gunzip.destroy(error));
    return source.pipe(gunzip);
  });
}

function storedName(head: Buffer): string | null {
  const flags = head[3] ?? 0;
  if (!(flags & NAMED) || head.length < HEADER + 2) return null;
  const start = HEADER + (flags & EXTRA ? 2 + head.readUInt16LE(HEADER) : 0);
  const end = head.indexOf(0, start);
  if (end <= start || end - start > LONGEST_NAME) return null;
  // The header's name never has folders.
  return head.subarray(start, end).toString('latin1').split(/[\\/]/).at(-1) ?? null;
}
