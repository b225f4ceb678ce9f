import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../kernel/errors.js';
import {
  ArchiveReader,
  type ArchiveEntry,
  type ArchiveKind,
  type ArchiveLimits,
} from '../../modules/documents/archive-reader.port.js';
import { UnreadableFile } from '../../modules/documents/document-parser.port.js';
import { archiveKind } from './archive-kind.js';
import { builtScript } from '../launchers/built-script.js';
import { gunzipFile } from './gz-file.js';
import { untar } from './tar-archive.js';
import { Unpacking } from './unpacking.js';
import type { UnrarProtocol } from './worker-messages.js';
import { WorkerProcess, type WorkerLimits } from './worker-process.js';
import { unzip } from './zip-archive.js';

/** Unpacks zip, tar, tar.gz and gz in streams; rar in a process of its own. */
export class Archives extends ArchiveReader {
  /** @param root of the project, which holds `dist` */
  constructor(
    private readonly root: string,
    private readonly rarLimits: WorkerLimits,
  ) {
    super();
  }

  async kindOf(path: string): Promise<ArchiveKind | '7z' | null> {
    const kind = await archiveKind(path);
    return kind === 'tgz' ? 'gz' : kind;
  }

  async unpack(path: string, into: string, limits: ArchiveLimits, signal: AbortSignal): Promise<ArchiveEntry[]> {
    const kind = await archiveKind(path);
    if (kind === 'rar') return this.#unrar({ path, into, limits }, signal);
    const unpacking = await Unpacking.of(path, into, limits, signal);
    try {
      if (kind === 'zip') await unzip(path, unpacking);
      else if (kind === 'tar' || kind === 'tgz')
        await untar(path, kind === 'tgz' ? 'gzip' : 'plain', unpacking, signal);
      else if (kind === 'gz') await gunzipFile(path, unpacking);
      else throw refusal(kind);
      return unpacking.entries;
    } catch (error) {
      await unpacking.undo();
      signal.throwIfAborted();
      throw asUnreadable(error);
    }
  }

  async #unrar(request: UnrarProtocol['request'], signal: AbortSignal): Promise<ArchiveEntry[]> {
    signal.throwIfAborted();
    const script = { path: builtScript(this.root, 'parsers/unrar-worker'), writes: request.into };
    const worker = await WorkerProcess.start<UnrarProtocol>(script, this.rarLimits);
    try {
      return await worker.ask(request, () => undefined, signal);
    } catch (error) {
      await removeEntries(request.into);
      throw error;
    } finally {
      worker.kill(new Error('the archive is unpacked'));
    }
  }
}

/** The process that wrote them cannot say which they are. */
async function removeEntries(into: string): Promise<void> {
  for (const name of await readdir(into)) if (/^entry-\d+$/.test(name)) await rm(join(into, name), { force: true });
}

const refusal = (kind: '7z' | null): UnreadableFile =>
  new UnreadableFile(
    'unsupported',
    kind === '7z'
      ? '7z archives are not unpacked: pack the files as zip or tar.gz.'
      : 'The file is not an archive that is known: zip, tar, tar.gz, gz and rar are.',
  );

/** System errors of the disk stay what they are; all else is a defect of the archive. */
function asUnreadable(error: unknown): unknown {
  if (error instanceof UnreadableFile) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/^(?:ENOSPC|EACCES|EPERM|EROFS|EMFILE|EIO|ENOENT|EEXIST|EDQUOT)$/.test(code)) return error;
  return new UnreadableFile('broken', `The archive is damaged: ${messageOf(error).slice(0, 200)}. Upload it again.`);
}
