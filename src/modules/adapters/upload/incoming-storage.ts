import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { callbackify } from 'node:util';
import type { Request } from 'express';
import type { StorageEngine } from 'multer';
import { AppError } from '../../../kernel/errors.js';

/** A request whose files lie in a folder of its own. */
export interface IncomingRequest extends Request {
  incoming?: { folder: string; bytes: number };
}

export const tooLarge = (maxBytes: number): AppError =>
  new AppError(
    'too_large',
    `The adapter is larger than ${Math.floor(maxBytes / 1024 / 1024)} MiB (CLARA_ADAPTER_MAX_UPLOAD_MB)`,
  );

/** Streams the files of a form to the disk under names of ours; together they may have `maxBytes`. */
export class IncomingStorage implements StorageEngine {
  constructor(
    private readonly root: string,
    private readonly maxBytes: number,
  ) {}

  _handleFile(
    request: IncomingRequest,
    file: Express.Multer.File,
    done: (error?: unknown, info?: Partial<Express.Multer.File>) => void,
  ): void {
    const stored = this.#store(request, file);
    callbackify(() => stored)(done);
  }

  _removeFile(_request: Request, file: Express.Multer.File, done: (error: Error | null) => void): void {
    callbackify(() => rm(file.path, { force: true }))(done);
  }

  async #store(request: IncomingRequest, file: Express.Multer.File): Promise<{ path: string; size: number }> {
    const all = (request.incoming ??= { folder: join(this.root, randomUUID()), bytes: 0 });
    await mkdir(all.folder, { recursive: true, mode: 0o700 });
    const path = join(all.folder, randomUUID());
    let size = 0;
    const counted = new Transform({
      transform: (part: Buffer, _encoding, done) => {
        size += part.length;
        all.bytes += part.length;
        done(all.bytes > this.maxBytes ? tooLarge(this.maxBytes) : null, part);
      },
    });
    await pipeline(file.stream, counted, createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }));
    return { path, size };
  }
}
