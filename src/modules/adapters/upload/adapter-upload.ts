import { rm } from 'node:fs/promises';
import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Response } from 'express';
import multer, { MulterError } from 'multer';
import { finalize, from, mergeMap, type Observable } from 'rxjs';
import { Settings } from '../../../config/settings.js';
import { AppError, messageOf } from '../../../kernel/errors.js';
import { checkParsed } from '../../../kernel/request-shape.js';
import { AdapterPlace } from '../adapter-place.js';
import { mustHaveRoom } from '../disk-room.js';
import { IncomingStorage, tooLarge, type IncomingRequest } from './incoming-storage.js';

const MOST_FILES = 50;
const FIELD_BYTES = 64 * 1024;
/** Of a form besides its files. */
const FORM_BYTES = 1024 * 1024;
const LISTS = ['domains', 'tags'];

/** A file of the form, as its sender called it. */
export interface SentFile {
  name: string;
  path: string;
}

export interface UploadRequest extends IncomingRequest {
  sent?: SentFile[];
}

/** Lists of a form: one field with commas, or the field several times. */
const fieldOf = (name: string, value: unknown): unknown => {
  if (!LISTS.includes(name)) return value;
  const texts: unknown[] = Array.isArray(value) ? value : [value];
  const parts = texts.flatMap((text) => (typeof text === 'string' ? text.split(',') : [text]));
  return parts.map((part) => (typeof part === 'string' ? part.trim() : part)).filter((part) => part !== '');
};

/** Takes the files of a form to the disk as they come; none of them outlives the request. */
@Injectable()
export class AdapterUpload implements NestInterceptor {
  readonly #form: ReturnType<multer.Multer['any']>;

  constructor(
    place: AdapterPlace,
    private readonly settings: Settings,
  ) {
    const { maxUploadBytes } = settings.adapters;
    this.#form = multer({
      storage: new IncomingStorage(place.incoming, maxUploadBytes),
      preservePath: true,
      defParamCharset: 'utf8',
      limits: { files: MOST_FILES, fields: 100, fieldSize: FIELD_BYTES, fileSize: maxUploadBytes },
    }).any();
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<UploadRequest>();
    return from(this.#take(request, http.getResponse())).pipe(
      mergeMap(() => next.handle()),
      finalize(() => {
        if (request.incoming) void rm(request.incoming.folder, { recursive: true, force: true }).catch(() => undefined);
      }),
    );
  }

  async #take(request: UploadRequest, response: Response): Promise<void> {
    if (!request.is('multipart/form-data'))
      throw new AppError('unsupported_media_type', 'Send the files of the adapter as multipart/form-data');
    const { maxUploadBytes } = this.settings.adapters;
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced > maxUploadBytes + FORM_BYTES) throw tooLarge(maxUploadBytes);
    await mustHaveRoom(this.settings, announced);
    await new Promise<void>((resolve, reject) =>
      this.#form(request, response, (error?: unknown) => (error ? reject(this.#refusalOf(error)) : resolve())),
    );
    const files = (request.files ?? []) as Express.Multer.File[];
    request.sent = files.map(({ originalname: name, path }) => ({ name, path }));
    const fields = Object.entries({ ...(request.body as Record<string, unknown>) });
    request.body = Object.fromEntries(fields.map(([name, value]) => [name, fieldOf(name, value)]));
    checkParsed(request.body);
  }

  #refusalOf(error: unknown): unknown {
    if (error instanceof MulterError && error.code === 'LIMIT_FILE_SIZE')
      return tooLarge(this.settings.adapters.maxUploadBytes);
    if (error instanceof MulterError && error.code === 'LIMIT_FILE_COUNT')
      return new AppError('too_large', `An adapter has at most ${MOST_FILES} files`);
    // A disk that is full is no fault of the sender.
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
      return new AppError('insufficient_storage', 'The data folder is full; free some space and upload again');
    if (error instanceof AppError || (error as NodeJS.ErrnoException).syscall !== undefined) return error;
    return new AppError('bad_request', `The form cannot be read: ${messageOf(error)}; send the adapter's files in it`);
  }
}
