import { callbackify } from 'node:util';
import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Request, Response } from 'express';
import multer, { MulterError, type StorageEngine } from 'multer';
import { catchError, defer, from, switchMap, type Observable } from 'rxjs';
import { Settings } from '../../../config/settings.js';
import { AppError, messageOf } from '../../../kernel/errors.js';
import { checkParsed } from '../../../kernel/request-shape.js';
import { FileFolder, type StagedFile } from './file-folder.js';

const MEBIBYTE = 1024 * 1024;
const LIMITS = { files: 1, fields: 10, fieldSize: 64 * 1024 };

/** What the upload left at the request. */
export interface FileRequest extends Request {
  staged?: StagedFile & { name: string };
}

type Stored = (error?: unknown, info?: Partial<Express.Multer.File>) => void;

/** Streams the file to the disk and hashes it on the way. */
class HashedStorage implements StorageEngine {
  constructor(private readonly folder: FileFolder) {}

  _handleFile(_request: Request, file: Express.Multer.File, done: Stored): void {
    callbackify(() => this.#store(file))(done);
  }

  _removeFile(_request: Request, file: Express.Multer.File, done: (error: Error | null) => void): void {
    callbackify(() => this.folder.remove(file.path))(done);
  }

  async #store(file: Express.Multer.File): Promise<Partial<Express.Multer.File>> {
    const { path, bytes, sha256 } = await this.folder.stage(file.stream);
    return { path, size: bytes, filename: sha256 };
  }
}

/** Takes the file of a form in before its fields are checked; nothing stays of a form that is refused. */
@Injectable()
export class FileUpload implements NestInterceptor {
  readonly #form: ReturnType<multer.Multer['single']>;

  constructor(
    private readonly folder: FileFolder,
    private readonly settings: Settings,
  ) {
    const limits = { ...LIMITS, fileSize: settings.openai.maxFileBytes };
    this.#form = multer({ storage: new HashedStorage(folder), limits, defParamCharset: 'utf8' }).single('file');
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const request = http.getRequest<FileRequest>();
    if (!request.is('multipart/form-data'))
      throw refusal('file', 'send a form (multipart/form-data) with the fields "file" and "purpose"');
    await this.#receive(request, http.getResponse<Response>());
    const { file } = request;
    if (file)
      request.staged = { path: file.path, bytes: file.size, sha256: file.filename, name: nameOf(file.originalname) };
    return defer(() => {
      checkParsed(request.body);
      return next.handle();
    }).pipe(catchError((error: unknown) => from(this.#discard(request)).pipe(switchMap(() => Promise.reject(error)))));
  }

  /** What became a file has been moved away by then. */
  async #discard({ staged }: FileRequest): Promise<void> {
    if (staged) await this.folder.remove(staged.path);
  }

  async #receive(request: FileRequest, response: Response): Promise<void> {
    await new Promise<void>((resolve, reject) =>
      this.#form(request, response, (error?: unknown) => (error ? reject(this.#problem(error)) : resolve())),
    );
  }

  #problem(error: unknown): unknown {
    if (error instanceof MulterError && error.code === 'LIMIT_FILE_SIZE') {
      const largest = this.settings.openai.maxFileBytes / MEBIBYTE;
      return new AppError('too_large', `file: it is larger than ${largest} MiB (CLARA_OPENAI_MAX_FILE_MB)`, [
        { path: 'file', message: 'is too large' },
      ]);
    }
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC')
      return new AppError('insufficient_storage', 'The data folder is full; free some space and upload again');
    if (error instanceof AppError || (error as NodeJS.ErrnoException).syscall !== undefined) return error;
    return refusal('file', `the form cannot be read: ${messageOf(error)}; send one file in the field "file"`);
  }
}

const refusal = (path: string, message: string): AppError =>
  new AppError('bad_request', `${path}: ${message}`, [{ path, message }]);

const LONGEST_NAME = 255;

/** What a client calls its file, without folders and control characters. */
const nameOf = (name: string): string =>
  (name.split(/[/\\]/).at(-1) ?? '').replace(/[\p{Cc}\p{Surrogate}]/gu, '').slice(-LONGEST_NAME) || 'file';
