import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppError } from '../../../kernel/errors.js';
import { AuditTrail } from '../../audit/audit.port.js';
import { CreationLimit } from '../../limits/creation-limit.port.js';
import { stored, type Caller } from '../../security/principal.port.js';
import { DataFolder } from '../../../config/data-folder.js';
import { FileStore } from '../files/file.store.js';
import { ownerOf } from '../files/files.service.js';
import type { CreateFineTuningJobDto } from './create-job.dto.js';
import { newJobId } from './job-ids.js';
import { jobRequest } from './job-request.js';
import type { JobRow, NewJobRow } from './job-row.js';
import { JobRowStore, type IdempotencyKey } from './job.store.js';
import { ModelNames } from './model-names.js';
import { JobChecking } from './job-checking.service.js';

const LONGEST_KEY = 255;

/** Records jobs; their files are checked behind the answer. */
@Injectable()
export class FineTuningCreation {
  constructor(
    private readonly rows: JobRowStore,
    private readonly files: FileStore,
    private readonly models: ModelNames,
    private readonly place: DataFolder,
    private readonly checking: JobChecking,
    private readonly limit: CreationLimit,
    private readonly audit: AuditTrail,
  ) {}

  /** @throws AppError `not_found` for an unknown model or file; `conflict` for a key with another body; `rate_limited` */
  async create(body: CreateFineTuningJobDto, caller: Caller, idempotencyKey: string | undefined): Promise<JobRow> {
    const key = keyOf(body, caller, idempotencyKey);
    const first = key && (await this.rows.repeated(key));
    if (first) return first;
    const job = await this.#plan(body, caller);
    const place = this.limit.take(caller.subject);
    if (!place) throw this.limit.refusal(caller.subject);
    const row = await this.#write(job, key, caller).catch((error: unknown) => {
      place.giveBack();
      throw error;
    });
    if (row.id !== job.id) place.giveBack();
    else this.checking.add(row.id, place.giveBack);
    return row;
  }

  async #plan(body: CreateFineTuningJobDto, caller: Caller): Promise<NewJobRow> {
    const start = await this.models.find(body.model);
    await this.#mustBeForTraining('training_file', body.training_file, caller);
    if (body.validation_file !== undefined)
      await this.#mustBeForTraining('validation_file', body.validation_file, caller);
    return {
      id: newJobId(),
      model: start.name,
      request: jobRequest(body, start),
      metadata: body.metadata ?? null,
      training_file: body.training_file,
      validation_file: body.validation_file ?? null,
      created_by: caller.subject,
      caller: stored(caller),
      place: await this.place.id(),
    };
  }

  /** @throws AppError `not_found`, `bad_request` */
  async #mustBeForTraining(path: string, id: string, caller: Caller): Promise<void> {
    const file = await this.files.find(id, ownerOf(caller));
    if (!file)
      throw new AppError('not_found', `${path}: there is no file ${id.slice(0, 100)}`, [
        { path, message: 'there is no such file' },
      ]);
    if (file.purpose === 'fine-tune') return;
    const message = `the file ${id} has the purpose "${file.purpose}"; upload it with the purpose "fine-tune"`;
    throw new AppError('bad_request', `${path}: ${message}`, [{ path, message }]);
  }

  #write(job: NewJobRow, key: IdempotencyKey | undefined, caller: Caller): Promise<JobRow> {
    const { id, model, training_file, request } = job;
    return this.rows.create(job, key, (sql) =>
      this.audit.record(sql, caller, {
        action: 'openai.job.create',
        target: { type: 'openai_job', id },
        outcome: 'done',
        detail: { model, training_file, method: request.method },
      }),
    );
  }
}

function keyOf(body: CreateFineTuningJobDto, caller: Caller, key: string | undefined): IdempotencyKey | undefined {
  if (key === undefined || key === '') return undefined;
  if (key.length > LONGEST_KEY)
    throw new AppError('bad_request', `Idempotency-Key has ${key.length} characters; ${LONGEST_KEY} are the most`, [
      { path: 'idempotency-key', message: 'is too long' },
    ]);
  const requestHash = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  return { subject: caller.subject, key, requestHash };
}
