import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Request, Response } from 'express';
import multer, { diskStorage, MulterError } from 'multer';
import { catchError, from, mergeMap, type Observable } from 'rxjs';
import { Settings } from '../../../config/settings.js';
import { AppError, messageOf } from '../../../kernel/errors.js';
import { checkParsed } from '../../../kernel/request-shape.js';
import { formFields } from './form-fields.js';
import { IncomingFiles } from './incoming-files.js';

const MEBIBYTE = 1024 * 1024;
const LONGEST_NAME = 200;

/** What the upload left at the request. */
export interface UploadRequest extends Request {
  upload?: { path: string; name: string };
}

function refusalOf(error: unknown, maxBytes: number): unknown {
  if (error instanceof MulterError && error.code === 'LIMIT_FILE_SIZE')
    return new AppError(
      'too_large',
      `The file is larger than ${maxBytes / MEBIBYTE} MiB (CLARA_DATASET_MAX_UPLOAD_MB)`,
    );
  // A disk that is full is no fault of the sender.
  if (error instanceof AppError || (error as NodeJS.ErrnoException).syscall !== undefined) return error;
  return new AppError('bad_request', `The form cannot be read: ${messageOf(error)}; send one file in the field "file"`);
}

/** Takes the file of a form to the disk as it comes, and makes its fields a body like one of JSON. */
@Injectable()
export class DatasetUpload implements NestInterceptor {
  readonly #form: ReturnType<multer.Multer['single']>;

  constructor(
    files: IncomingFiles,
    private readonly settings: Settings,
  ) {
    const storage = diskStorage({
      destination: (_request, _file, done) =>
        mkdir(files.folder, { recursive: true, mode: 0o700 }, (error) => done(error, files.folder)),
      filename: (_request, _file, done) => done(null, randomUUID()),
    });
    const limits = { files: 1, fields: 30, fieldSize: MEBIBYTE, fileSize: settings.datasets.maxUploadBytes };
    this.#form = multer({ storage, limits, defParamCharset: 'utf8' }).single('file');
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<UploadRequest>();
    if (!request.is('multipart/form-data')) return next.handle();
    return from(this.#take(request, http.getResponse())).pipe(
      mergeMap(() => next.handle()),
      catchError((error: unknown) => from(this.#refused(request, error))),
    );
  }

  async #take(request: UploadRequest, response: Response): Promise<void> {
    await new Promise<void>((resolve, reject) =>
      this.#form(request, response, (error?: unknown) => (error ? reject(error) : resolve())),
    ).catch((error: unknown) => {
      throw refusalOf(error, this.settings.datasets.maxUploadBytes);
    });
    if (request.file) request.upload = { path: request.file.path, name: nameOf(request.file.originalname) };
    request.body = formFields({ ...(request.body as Record<string, unknown>) });
    checkParsed(request.body);
  }

  /** What was refused is not kept; after another error a version may be recorded that needs the file. */
  async #refused({ upload }: UploadRequest, error: unknown): Promise<never> {
    if (upload && error instanceof AppError) await rm(upload.path, { force: true });
    throw error;
  }
}

/** For messages only: no path, no control characters. */
const nameOf = (name: string): string =>
  basename(name)
    .replace(/\p{Cc}/gu, '')
    .slice(-LONGEST_NAME) || 'file';
