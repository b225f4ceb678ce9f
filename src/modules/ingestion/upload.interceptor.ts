import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Request, Response } from 'express';
import multer from 'multer';
import { catchError, defer, from, type Observable, switchMap, throwError } from 'rxjs';
import { Settings } from '../../config/settings.js';
import { AppError, messageOf } from '../../kernel/errors.js';
import { checkParsed } from '../../kernel/request-shape.js';
import type { NamedFile } from './ingestion-queue.store.js';
import { OriginalFiles } from './original-files.js';
import { StagingStorage } from './staging-storage.js';

export type UploadRequest = Request & { staged?: NamedFile[] };

const MOST_FIELDS = 200;
const FIELD_BYTES = 64 * 1024;

/** Takes the files of a form in, streaming, before its fields are validated; nothing stays of a form that is refused. */
@Injectable()
export class UploadInterceptor implements NestInterceptor {
  readonly #form: multer.Multer;

  constructor(
    private readonly settings: Settings,
    private readonly originals: OriginalFiles,
  ) {
    const { maxFileBytes, maxFiles } = settings.ingestion;
    this.#form = multer({
      storage: new StagingStorage(originals),
      preservePath: true,
      defParamCharset: 'utf8',
      limits: { fileSize: maxFileBytes, files: maxFiles, fields: MOST_FIELDS, fieldSize: FIELD_BYTES },
    });
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const request = http.getRequest<UploadRequest>();
    await this.originals.mustHaveRoom(Number(request.headers['content-length'] ?? 0));
    await this.#receive(request, http.getResponse<Response>());
    const files = (request.files ?? []) as Express.Multer.File[];
    request.staged = files.map(({ originalname, path, size, filename }) => ({
      name: originalname,
      path,
      bytes: size,
      sha256: filename,
    }));
    return defer(() => {
      checkParsed(request.body);
      return next.handle();
    }).pipe(
      catchError((error: unknown) =>
        from(this.#discard(request.staged ?? [])).pipe(switchMap(() => throwError(() => error))),
      ),
    );
  }

  async #discard(files: NamedFile[]): Promise<void> {
    for (const { path } of files) await this.originals.remove(path);
  }

  async #receive(request: UploadRequest, response: Response): Promise<void> {
    const receive = this.#form.any();
    await new Promise<void>((resolve, reject) => {
      void receive(request, response, (error: unknown) => (error ? reject(this.#problem(error)) : resolve()));
    });
  }

  #problem(error: unknown): unknown {
    if (error instanceof multer.MulterError) return this.#limit(error);
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
      return new AppError('insufficient_storage', 'The data folder is full; free some space and upload again');
    if ((error as NodeJS.ErrnoException).code) return error;
    return new AppError('bad_request', `The form could not be read: ${messageOf(error)}`);
  }

  #limit({ code, field }: multer.MulterError): AppError {
    const { maxFileBytes, maxFiles } = this.settings.ingestion;
    const largest = Math.floor(maxFileBytes / 1024 / 1024);
    if (code === 'LIMIT_FILE_SIZE')
      return new AppError('too_large', `A file is larger than ${largest} MB (CLARA_MAX_UPLOAD_MB)`);
    if (code === 'LIMIT_FILE_COUNT')
      return new AppError('too_large', `More than ${maxFiles} files in one upload (CLARA_MAX_UPLOAD_FILES)`);
    return new AppError('bad_request', `The form was not understood: ${code}${field ? ` at ${field}` : ''}`);
  }
}
