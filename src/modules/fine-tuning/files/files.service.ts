import { randomBytes } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { AppError } from '../../../kernel/errors.js';
import { AuditTrail } from '../../audit/audit.port.js';
import { isAdmin, type Caller } from '../../security/principal.port.js';
import { openAiList } from '../openai-list.js';
import type { CreateFileDto, FileDeletedDto, FileListDto, FileObjectDto, ListFilesQuery } from './file.dto.js';
import { FileFolder } from './file-folder.js';
import { FileStore } from './file.store.js';
import type { FileRequest } from './file-upload.js';
import { FileUse } from './file-use.js';
import { unixSeconds, type OpenAiFile } from './openai-file.js';

export const newFileId = (): string => `file-${randomBytes(12).toString('hex')}`;

/** Whose files a caller sees; null: everybody's. */
export const ownerOf = (caller: Caller): string | null => (isAdmin(caller) ? null : caller.subject);

/** /v1/files, step by step. */
@Injectable()
export class FilesService {
  constructor(
    private readonly store: FileStore,
    private readonly folder: FileFolder,
    private readonly uses: FileUse,
    private readonly audit: AuditTrail,
  ) {}

  /** Takes a file whatever is in it: a broken one fails the job that trains on it. */
  async create(fields: CreateFileDto, staged: FileRequest['staged'], caller: Caller): Promise<FileObjectDto> {
    if (!staged) throw refusal('file', 'is missing; send the file in the field "file" of a form');
    if (staged.bytes === 0) throw refusal('file', 'is empty');
    const id = newFileId();
    const path = await this.folder.keep(staged, id);
    const { bytes, sha256, name: filename } = staged;
    const expiresInSeconds = fields.expires_after?.seconds ?? null;
    const detail = { purpose: fields.purpose, bytes, sha256 };
    const file = { id, path, bytes, sha256, filename, purpose: fields.purpose, created_by: caller.subject };
    try {
      const row = await this.store.add({ ...file, expiresInSeconds }, (sql) =>
        this.audit.record(sql, caller, { action: 'openai.file.create', ...target(id), outcome: 'done', detail }),
      );
      return fileObject(row);
    } catch (error) {
      await this.folder.remove(this.folder.whole(path));
      throw error;
    }
  }

  async list({ after, limit, order, purpose }: ListFilesQuery, caller: Caller): Promise<FileListDto> {
    const owner = ownerOf(caller);
    const behind = after === undefined ? undefined : await this.store.place(after, owner);
    if (after !== undefined && behind === undefined) throw refusal('after', `there is no file ${after}`);
    const files = await this.store.page({ owner, limit, order, purpose }, behind);
    return openAiList(files.map(fileObject), limit);
  }

  async get(id: string, caller: Caller): Promise<FileObjectDto> {
    return fileObject(await this.find(id, caller));
  }

  /** Another's file is as unknown as none. @throws AppError `not_found` */
  async find(id: string, caller: Caller): Promise<OpenAiFile> {
    const file = await this.store.find(id, ownerOf(caller));
    if (!file) throw unknownFile(id);
    return file;
  }

  /** The bytes as they came. */
  async send(id: string, caller: Caller, response: Response): Promise<void> {
    const file = await this.find(id, caller);
    response.attachment(file.filename).type('application/octet-stream').set('Content-Length', String(file.bytes));
    await pipeline(this.folder.read(file.path), response).catch((error: NodeJS.ErrnoException) => {
      // A client that left needs no answer.
      if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    });
  }

  /** @throws AppError `conflict` while a job needs it */
  async remove(id: string, caller: Caller): Promise<FileDeletedDto> {
    await this.find(id, caller);
    const removed = await this.store.remove(id, async (sql) => {
      await this.uses.mustBeFree(sql, id);
      await this.audit.record(sql, caller, { action: 'openai.file.delete', ...target(id), outcome: 'done' });
    });
    if (!removed) throw unknownFile(id);
    await this.folder.remove(this.folder.whole(removed.path));
    return { id, object: 'file', deleted: true };
  }
}

const target = (id: string) => ({ target: { type: 'openai_file', id } });

const refusal = (path: string, message: string): AppError =>
  new AppError('bad_request', `${path}: ${message}`, [{ path, message }]);

const unknownFile = (id: string): AppError =>
  new AppError('not_found', `No such File object: ${id}`, [{ path: 'id', message: 'there is no such file' }]);

/** A file as OpenAI's API shows it; pure. */
export const fileObject = (file: OpenAiFile): FileObjectDto => ({
  id: file.id,
  object: 'file',
  bytes: file.bytes,
  created_at: unixSeconds(file.created_at),
  filename: file.filename,
  purpose: file.purpose,
  status: 'processed',
  status_details: null,
  expires_at: file.expires_at ? unixSeconds(file.expires_at) : null,
});
