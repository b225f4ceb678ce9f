import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { callbackify } from 'node:util';
import type { Request } from 'express';
import type { StorageEngine } from 'multer';
import type { OriginalFiles, StagedFile } from './original-files.js';

/** Hashes and counts what flows through. */
function counted(): { stream: Transform; result: () => { bytes: number; sha256: string } } {
  const hash = createHash('sha256');
  let bytes = 0;
  const stream = new Transform({
    transform(part: Buffer, _encoding, done) {
      bytes += part.length;
      hash.update(part);
      done(null, part);
    },
  });
  return { stream, result: () => ({ bytes, sha256: hash.digest('hex') }) };
}

/** Streams the files of a form into the staging folder, hashing on the way; memory does not grow with their size. */
export class StagingStorage implements StorageEngine {
  constructor(private readonly originals: OriginalFiles) {}

  _handleFile(
    _request: Request,
    file: Express.Multer.File,
    done: (error?: unknown, info?: Partial<Express.Multer.File>) => void,
  ): void {
    const stored = this.#store(file).then(({ path, bytes, sha256 }) => ({ path, size: bytes, filename: sha256 }));
    callbackify(() => stored)(done);
  }

  _removeFile(_request: Request, file: Express.Multer.File, done: (error: Error | null) => void): void {
    callbackify(() => this.originals.remove(file.path))(done);
  }

  async #store(file: Express.Multer.File): Promise<StagedFile> {
    const { path, stream } = await this.originals.open();
    const counter = counted();
    try {
      await pipeline(file.stream, counter.stream, stream);
      return { path, ...counter.result() };
    } catch (error) {
      await this.originals.remove(path);
      throw error;
    }
  }
}
