import { writeFile } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import { digestOf } from '../../kernel/file-digest.js';
import { AppError } from '../../kernel/errors.js';
import type { Caller } from '../security/principal.port.js';
import type { DocumentOptionsDto, IngestTextDto, UploadReplyDto } from './ingestion.dto.js';
import type { JobRow } from './ingestion.entity.js';
import type { NamedFile } from './ingestion-queue.store.js';
import { belongingOf, JobCreation } from './job-creation.js';
import { OriginalFiles } from './original-files.js';

/** As the original guesses it. */
const SECONDS_A_FILE = 2;
const NAMED = 100;

/** Makes jobs of what was uploaded. */
@Injectable()
export class UploadService {
  constructor(
    private readonly jobs: JobCreation,
    private readonly originals: OriginalFiles,
  ) {}

  async files(files: NamedFile[], options: DocumentOptionsDto, caller: Caller): Promise<UploadReplyDto> {
    if (files.length === 0)
      throw new AppError('bad_request', 'No files: send them as multipart/form-data in the field `files`');
    return uploadReply(
      await this.jobs.create({ kind: 'files', files, belonging: belongingOf(options, caller) }, caller),
      files,
    );
  }

  async text({ text, filename, ...options }: IngestTextDto, caller: Caller): Promise<UploadReplyDto> {
    const belonging = belongingOf(options, caller);
    const path = await this.originals.stagingPath();
    await writeFile(path, text.toWellFormed(), { mode: 0o600 });
    const staged = { path, ...(await digestOf(path)) };
    const name = filename ?? `text-${staged.sha256.slice(0, 12)}.md`;
    try {
      const files = [{ ...staged, name }];
      return uploadReply(await this.jobs.create({ kind: 'text', files, belonging }, caller), files);
    } catch (error) {
      await this.originals.remove(path);
      throw error;
    }
  }
}

export const uploadReply = (job: JobRow, files: readonly { name: string }[]): UploadReplyDto => ({
  message: `${files.length} file(s) uploaded; GET /jobs/${job.job_id} shows how far they are`,
  job_id: job.job_id,
  file_count: job.file_count,
  estimated_processing_time: `${SECONDS_A_FILE * files.length}s`,
  files: files.slice(0, NAMED).map(({ name }) => name),
});
