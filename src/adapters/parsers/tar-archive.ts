import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { UnreadableFile } from '../../modules/documents/document-parser.port.js';
import type { Unpacking } from './unpacking.js';

const KEPT = ['file', 'contiguous-file'];

/** tar, plain or in gzip. Links, devices and pipes are passed over. */
export async function untar(
  path: string,
  compressed: 'gzip' | 'plain',
  unpacking: Unpacking,
  signal: AbortSignal,
): Promise<void> {
  const tar = extract();
  const source = createReadStream(path);
  const feeding =
    compressed === 'gzip' ? pipeline(source, createGunzip(), tar, { signal }) : pipeline(source, tar, { signal });
  let failed: Error | null = null;
  feeding.catch((error: unknown) => {
    failed = error as Error;
    tar.destroy(failed);
  });
  try {
    for await (const entry of tar) {
      const { type, name } = entry.header;
      if (KEPT.includes(type ?? 'file')) await unpacking.write(name, () => entry as AsyncIterable<Buffer>);
      else unpacking.count.seen();
      entry.resume();
    }
    await feeding;
  } catch (error) {
    tar.destroy();
    source.destroy();
    throw failed ?? error;
  }
  if (unpacking.entries.length === 0) throw new UnreadableFile('empty', 'The archive holds no files.');
}
