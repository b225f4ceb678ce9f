import { createHash, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppError } from '../../kernel/errors.js';
import { AuditTrail } from '../audit/audit.port.js';
import { stored, type Caller } from '../security/principal.port.js';
import { BuilderService } from './builder.service.js';
import type { CreateDatasetDto, CreateVersionDto } from './create-dataset.dto.js';
import { DataFolder } from '../../config/data-folder.js';
import { DatasetChangesStore, type IdempotencyKey, type Made, type NewVersion } from './dataset-changes.store.js';
import { DatasetService } from './dataset.service.js';
import type { DatasetReplyDto } from './dataset-replies.dto.js';
import { EVERYBODY } from '../documents/readers.port.js';
import { QuestionWriter } from './questions/question-writer.port.js';
import { IncomingFiles, type IncomingFile } from './upload/incoming-files.js';
import { checkOneSource, planVersion } from './version-plan.js';

const LONGEST_KEY = 255;

/** A request with what came beside its body. */
export interface Asked<T> {
  body: T;
  upload: { path: string; name: string } | undefined;
  caller: Caller;
  idempotencyKey: string | undefined;
}

/** Records datasets and versions, which are then built in the background. */
@Injectable()
export class DatasetCreation {
  constructor(
    private readonly changes: DatasetChangesStore,
    private readonly datasets: DatasetService,
    private readonly files: IncomingFiles,
    private readonly place: DataFolder,
    private readonly builder: BuilderService,
    private readonly audit: AuditTrail,
    private readonly writer: QuestionWriter,
  ) {}

  async create(asked: Asked<CreateDatasetDto>): Promise<DatasetReplyDto> {
    const datasetId = randomUUID();
    const { body, caller } = asked;
    const made = await this.#record(asked, async (version, key) => {
      const audit = await this.#auditRow(caller, 'dataset.create', datasetId, version);
      const set = { datasetId, name: body.name, description: body.description ?? '', readers: readersOf(version) };
      return this.changes.create(set, version, audit, key);
    });
    const reply = this.datasets.reply(made.datasetId, `Dataset creation started: ${made.datasetId}`, caller);
    return this.#replied(reply.catch((error: unknown) => Promise.reject(isGone(error) ? deleted(made) : error)));
  }

  /** @throws AppError `not_found`, `forbidden` */
  async addVersion(datasetId: string, asked: Asked<CreateVersionDto>): Promise<DatasetReplyDto> {
    const { caller } = asked;
    await this.#ownOrDrop(datasetId, asked);
    const made = await this.#record(asked, async (version, key) => {
      const audit = await this.#auditRow(caller, 'dataset.version.create', datasetId, version);
      return this.changes.addVersion(datasetId, version, audit, key);
    });
    return this.#replied(this.datasets.reply(datasetId, `Version ${made.version} is being built`, caller));
  }

  /** The builder begins when the reply is read: clients are told `pending`, as they expect. */
  async #replied(reply: Promise<DatasetReplyDto>): Promise<DatasetReplyDto> {
    return reply.finally(() => this.builder.wake());
  }

  async #ownOrDrop(datasetId: string, { caller, upload }: Asked<CreateVersionDto>): Promise<void> {
    try {
      await this.datasets.own(datasetId, caller, 'add a version to');
    } catch (error) {
      if (upload) await this.files.remove({ ...upload, own: true, sha256: '' });
      throw error;
    }
  }

  /** Takes the files in, and lets go of them where no version came of it. */
  async #record<T extends CreateVersionDto>(
    asked: Asked<T>,
    write: (version: NewVersion, key: IdempotencyKey | undefined) => Promise<Made>,
  ): Promise<Made> {
    let file: IncomingFile | undefined = asked.upload && { ...asked.upload, own: true, sha256: '' };
    let isKept = false;
    try {
      checkOneSource(asked.body, asked.upload ? 'with a file' : 'without a file');
      file = await this.#fileOf(asked);
      const { source, options, queryText } = planVersion(asked.body, file, this.writer.model);
      const place = source.kind === 'file' ? await this.place.id() : null;
      const version = { source, options, queryText, place, caller: stored(asked.caller) };
      const key = idempotencyOf(asked, file);
      const first = key && (await this.changes.repeated(key));
      const made = first ?? (await write(version, key));
      isKept = !first && (await this.#isSourceOf(made, file));
      return made;
    } finally {
      if (!isKept) await this.files.remove(file);
    }
  }

  /** False where another request with the same key was first. */
  async #isSourceOf(made: Made, file: IncomingFile | undefined): Promise<boolean> {
    const source = (await this.datasets.version(made.datasetId, made.version))?.source;
    return source?.kind === 'file' && source.path === file?.path;
  }

  #fileOf({ body, upload }: Asked<CreateVersionDto>): Promise<IncomingFile> | undefined {
    if (upload) return this.files.uploaded(upload.path, upload.name);
    if (body.rows) return this.files.ofRows(body.rows);
    return body.upload && this.files.onServer(body.upload.path);
  }

  #auditRow(caller: Caller, action: string, datasetId: string, version: NewVersion): Promise<string | null> {
    const { source, options } = version;
    const detail = { source: source.kind, row_form: options.rowForm, export_formats: options.exportFormats };
    return this.audit.row(caller, { action, target: { type: 'dataset', id: datasetId }, outcome: 'done', detail });
  }
}

/** What comes of documents is the owner's until it is known who may read them. */
const readersOf = ({ source, options }: NewVersion): string[] =>
  source.kind === 'file' ? (options.readers ?? [EVERYBODY]) : [];

function idempotencyOf<T>(asked: Asked<T>, file: IncomingFile | undefined): IdempotencyKey | undefined {
  const { idempotencyKey: key, body, caller } = asked;
  if (key === undefined || key === '') return undefined;
  if (key.length > LONGEST_KEY)
    throw new AppError('bad_request', `Idempotency-Key has ${key.length} characters; ${LONGEST_KEY} are the most`);
  const requestHash = createHash('sha256').update(JSON.stringify([body, file?.sha256 ?? '']));
  return { subject: caller.subject, key, requestHash: requestHash.digest('hex') };
}

const isGone = (error: unknown): boolean => error instanceof AppError && error.code === 'not_found';

const deleted = ({ datasetId }: Made): AppError =>
  new AppError('conflict', `The dataset ${datasetId} that this Idempotency-Key made was deleted; take another key`);
