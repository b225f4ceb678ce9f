import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { AppError } from '../../kernel/errors.js';
import { AuditTrail } from '../audit/audit.port.js';
import type { Caller } from '../security/principal.port.js';
import { storedFile, syncFolder } from './build/version-folder.js';
import { DatasetChangesStore } from './dataset-changes.store.js';
import type { DownloadQuery, ExportDto } from './dataset-queries.dto.js';
import type { DatasetRecord, StoredFile, VersionRecord } from './dataset-record.js';
import type { ExportReplyDto } from './dataset-replies.dto.js';
import { DatasetService } from './dataset.service.js';
import { shownPath } from './dataset-view.js';
import { attachment } from './disposition.js';
import { ExportRefused, safeName, writeExport } from './exporting/export-file.js';
import { fileOf, type ExportFormat, type WithMetadata } from './formats/export-row.js';
import type { TrainingRow } from './training-row.js';
import type { Split } from './version-row.js';

const LONGEST_MS = 10 * 60_000;

interface Wanted {
  format: ExportFormat;
  metadata: WithMetadata;
  split: Split | null;
}

interface Subject {
  dataset: DatasetRecord;
  version: VersionRecord;
}

/** Under which an export is remembered: the format alone for all rows with their metadata. */
const keyOf = ({ format, metadata, split }: Wanted): string =>
  [format, ...(split ? [split] : []), ...(metadata === 'without metadata' ? ['plain'] : [])].join('.');

/** Files of versions in any format, made when they are asked for and kept. */
@Injectable()
export class DatasetExports {
  constructor(
    private readonly datasets: DatasetService,
    private readonly changes: DatasetChangesStore,
    private readonly audit: AuditTrail,
  ) {}

  async export(datasetId: string, request: ExportDto, caller: Caller): Promise<ExportReplyDto> {
    const subject = await this.datasets.completed(datasetId, request.version, caller);
    const { format, split = null } = request;
    const metadata = request.include_metadata === false ? 'without metadata' : 'with metadata';
    const file = await this.#file(subject, { format, metadata, split }, caller);
    const query = new URLSearchParams({ format, version: String(subject.version.number) });
    if (split) query.set('split', split);
    if (metadata === 'without metadata') query.set('include_metadata', 'false');
    return {
      success: true,
      message: `Dataset exported as ${format}`,
      dataset_id: datasetId,
      version: subject.version.number,
      format,
      export_path: shownPath(file.path, this.datasets.places),
      download_url: `/api/datasets/${datasetId}/download?${query.toString()}`,
      bytes: file.bytes,
      sha256: file.sha256,
    };
  }

  async download(datasetId: string, query: DownloadQuery, caller: Caller, response: Response): Promise<void> {
    const subject = await this.datasets.completed(datasetId, query.version, caller);
    const { format = 'jsonl', split = null } = query;
    const isPlain = query.include_metadata === 'false' || query.include_metadata === '0';
    const metadata = isPlain ? 'without metadata' : 'with metadata';
    const file = await this.#file(subject, { format, metadata, split }, caller);
    const { contentType, extension } = fileOf(format);
    response.set({
      'Content-Type': contentType,
      'Content-Length': String(file.bytes),
      'Content-Disposition': attachment(`${safeName(subject.dataset.name)}.${extension}`),
      ETag: `"${file.sha256}"`,
      'X-Dataset-Version': String(subject.version.number),
    });
    await pipeline(createReadStream(join(this.datasets.places.data, file.path)), response).catch((error: unknown) => {
      // Whoever left is told nothing; whoever waits sees that the file is not whole.
      if (!response.destroyed) throw error;
    });
  }

  /** The file, as it was made before or made now. */
  async #file(subject: Subject, wanted: Wanted, caller: Caller): Promise<StoredFile> {
    const known = subject.version.exports[keyOf(wanted)];
    const isThere = known && (await stat(join(this.datasets.places.data, known.path)).catch(() => undefined));
    return isThere ? known : this.#make(subject, wanted, caller);
  }

  async #make({ dataset, version }: Subject, wanted: Wanted, caller: Caller): Promise<StoredFile> {
    const { data } = this.datasets.places;
    const rows = join(data, version.files.rows?.path ?? '');
    const folder = join(dirname(rows), 'exports');
    const path = join(folder, exportName(dataset.name, wanted));
    const partial = join(folder, `.${basename(path)}.${randomUUID()}`);
    await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? notHere(version) : error;
    });
    try {
      await writeExport({ ...this.#request({ dataset, version }, wanted), rows, into: partial });
      await rename(partial, path);
      await syncFolder(folder);
    } catch (error) {
      await rm(partial, { force: true });
      throw refusalOf(error, version);
    }
    const file = await storedFile(path, data);
    const made = { datasetId: dataset.dataset_id, version: version.number };
    const detail = { version: version.number, format: wanted.format, split: wanted.split };
    const entry = {
      action: 'dataset.export',
      target: { type: 'dataset', id: made.datasetId },
      outcome: 'done',
      detail,
    } as const;
    await this.changes.addExport(made, keyOf(wanted), file, await this.audit.row(caller, entry));
    return file;
  }

  #request({ dataset, version }: Subject, wanted: Wanted) {
    const { statistics } = version;
    return {
      ...wanted,
      name: dataset.name,
      head: { dataset_id: dataset.dataset_id, name: dataset.name, version: version.number, statistics },
      kinds: Object.keys(statistics?.kinds ?? {}) as TrainingRow['kind'][],
      signal: AbortSignal.timeout(LONGEST_MS),
    };
  }
}

const exportName = (name: string, wanted: Wanted): string => {
  const variant = keyOf(wanted).split('.').slice(1).join('.');
  return `${safeName(name)}.${variant === '' ? '' : `${variant}.`}${fileOf(wanted.format).extension}`;
};

const notHere = ({ number }: VersionRecord): AppError =>
  new AppError('conflict', `The files of version ${number} are not on this host`);

function refusalOf(error: unknown, version: VersionRecord): unknown {
  if (error instanceof ExportRefused)
    return new AppError('invalid', `format: ${error.message}`, [{ path: 'format', message: error.message }]);
  return (error as NodeJS.ErrnoException).code === 'ENOENT' ? notHere(version) : error;
}
