import { pipeline } from 'node:stream/promises';
import { callbackify } from 'node:util';
import type { Request } from 'express';
import type { StorageEngine } from 'multer';
import { digesting } from '../../kernel/file-digest.js';
import type { OriginalFiles, StagedFile } from './original-files.js';

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
    const counter = digesting();
    try {
      await pipeline(file.stream, counter.stream, stream);
      return { path, ...counter.result() };
    } catch (error) {
      await this.originals.remove(path);
      throw error;
    }
  }
}
