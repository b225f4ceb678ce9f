import { createExtractorFromFile, UnrarError, type FileHeader } from 'node-unrar-js';
import type { ArchiveEntry, ArchiveLimits } from '../../modules/documents/archive-reader.port.js';
import { UnreadableFile } from '../../modules/documents/document-parser.port.js';
import { chmod, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { entryName } from './entry-name.js';
import { UnpackedCount } from './unpacking.js';

/** The library's own method that all unpacked bytes pass through. */
type Writes = { write: (fd: number, buffer: number, size: number) => boolean };

/**
 * Unpacks a RAR archive (4 and 5) in this process, without a pause: for a process that can be killed.
 * Links are kept by the library as empty files, which nothing follows.
 * @throws UnreadableFile
 */
export async function unrar(path: string, into: string, limits: ArchiveLimits): Promise<ArchiveEntry[]> {
  const count = new UnpackedCount((await stat(path)).size, limits);
  const entries: ArchiveEntry[] = [];
  let open: ArchiveEntry | null = null;
  const stop: { reason: Error | null } = { reason: null };
  try {
    const wanted = await wantedNames(path, count);
    const extractor = await createExtractorFromFile({
      filepath: path,
      targetPath: into,
      filenameTransform: (name) => {
        const file = `entry-${String(entries.length + 1).padStart(6, '0')}`;
        open = { name: wanted.get(name) ?? name, path: join(into, file), bytes: 0 };
        entries.push(open);
        return file;
      },
    });
    const writes = extractor as unknown as Writes;
    const write = writes.write.bind(extractor);
    writes.write = (fd, buffer, size) => {
      try {
        count.bytes(size);
      } catch (error) {
        stop.reason = error as Error;
        return false;
      }
      if (open) open.bytes += size;
      return write(fd, buffer, size);
    };
    // The list is a generator: files come out as it is walked.
    for (const { fileHeader } of extractor.extract({ files: (header) => wanted.has(header.name) }).files) {
      // The library goes on after a write that failed.
      if (stop.reason) throw stop.reason;
      if (fileHeader.flags.encrypted) throw encrypted(fileHeader.name);
    }
    if (stop.reason) throw stop.reason;
    for (const entry of entries) await chmod(entry.path, 0o600);
    return entries;
  } catch (error) {
    throw stop.reason ?? reasonOf(error);
  }
}

/** Names of the files to unpack, as the archive has them, to ours. */
async function wantedNames(path: string, count: UnpackedCount): Promise<Map<string, string>> {
  const wanted = new Map<string, string>();
  const { arcHeader, fileHeaders } = (await createExtractorFromFile({ filepath: path })).getFileList();
  if (arcHeader.flags.headerEncrypted) throw encrypted('list of files');
  if (arcHeader.flags.volume)
    throw new UnreadableFile('unsupported', 'The archive is one of several parts. Pack the files in one archive.');
  for (const header of fileHeaders) {
    count.seen();
    const name = nameOf(header);
    if (name === null) continue;
    count.entry();
    wanted.set(header.name, name);
  }
  return wanted;
}

function nameOf({ name, flags }: FileHeader): string | null {
  const kept = entryName(name);
  if (flags.encrypted) throw encrypted(name);
  return flags.directory ? null : kept;
}

const encrypted = (name: string): UnreadableFile =>
  new UnreadableFile('encrypted', `"${name.slice(0, 200)}" is protected by a password. Pack it without one.`);

function reasonOf(error: unknown): unknown {
  if (!(error instanceof UnrarError)) return error;
  if (/PASSWORD/.test(error.reason)) return encrypted(error.file ?? 'The archive');
  return new UnreadableFile('broken', `The archive is damaged: ${error.message}. Upload it again.`);
}
