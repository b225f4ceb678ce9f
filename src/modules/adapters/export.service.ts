import { rm } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { AppError } from '../../kernel/errors.js';
import type { Sql } from '../../kernel/transaction.js';
import { AuditTrail } from '../audit/audit.port.js';
import type { Caller } from '../security/principal.port.js';
import type { DoneDto } from './adapter.dto.js';
import { AdapterPlace } from './adapter-place.js';
import { iso } from './adapter-view.js';
import type { VersionRecord } from './adapter-versions.port.js';
import type { AdapterExportDto, AdapterExportListDto } from './export.dto.js';
import { ExportStore, type ExportRecord } from './export.store.js';
import type { ExportFormat } from './exporter.port.js';
import { sendTar } from './tar-answer.js';
import { VersionStore } from './version.store.js';

const percent = (share: number): number => Math.round(share * 1000) / 10;

/** Adapters in other forms. */
@Injectable()
export class ExportService {
  constructor(
    private readonly versions: VersionStore,
    private readonly exports: ExportStore,
    private readonly place: AdapterPlace,
    private readonly audit: AuditTrail,
  ) {}

  async create(reference: string, format: ExportFormat, caller: Caller): Promise<AdapterExportDto> {
    const version = await this.#active(reference);
    const place = await this.place.id();
    if (version.place !== place) throw notHere(version);
    const wanted = { version_id: version.id, format, place, created_by: caller.subject };
    const row = await this.exports.request(wanted, (sql, id) =>
      this.#record(sql, caller, { verb: 'create', version, id, format }),
    );
    return exportView(row);
  }

  async list(reference: string): Promise<AdapterExportListDto> {
    const { id } = await this.versions.get(reference);
    return { exports: (await this.exports.of(id)).map(exportView) };
  }

  async get(reference: string, id: string): Promise<AdapterExportDto> {
    return exportView((await this.#export(reference, id)).row);
  }

  /** Ends one that waits or runs; removes the files of one that is done. @throws AppError `conflict` */
  async remove(reference: string, id: string, caller: Caller): Promise<DoneDto> {
    const { version, row } = await this.#export(reference, id);
    const recording = (verb: string) => (sql: Sql) =>
      this.#record(sql, caller, { verb, version, id: row.id, format: row.format });
    if (await this.exports.cancel(row.id, recording('cancel')))
      return { success: true, message: `Export is being cancelled: ${row.id}` };
    if (!(await this.exports.forget(row.id, recording('remove'))))
      throw new AppError('conflict', `Export ${row.id} is ${row.state}: there is nothing to cancel or remove`);
    await rm(this.place.exportOf(row), { recursive: true, force: true });
    return { success: true, message: `Export removed: ${row.id}` };
  }

  async download(reference: string, id: string, response: Response): Promise<void> {
    const { version, row } = await this.#export(reference, id);
    if (row.state !== 'completed' || row.files_removed_at !== null)
      throw new AppError(
        'conflict',
        `Export ${row.id} has no files: it is ${row.files_removed_at ? 'removed' : row.state}`,
      );
    await sendTar(response, `${version.name}-${row.format}`, { folder: this.place.exportOf(row), files: row.files });
  }

  /** The PEFT folder as it is. */
  async downloadAdapter(reference: string, response: Response): Promise<void> {
    const version = await this.#active(reference);
    if (version.place !== (await this.place.id())) throw notHere(version);
    await sendTar(response, version.name, { folder: version.path, files: version.files });
  }

  async #active(reference: string): Promise<VersionRecord> {
    const version = await this.versions.get(reference);
    if (version.retired_at === null) return version;
    throw new AppError('conflict', `Adapter ${version.name} is retired: its files are gone`);
  }

  async #export(reference: string, id: string): Promise<{ version: VersionRecord; row: ExportRecord }> {
    const version = await this.versions.get(reference);
    const row = await this.exports.byId(version.id, id);
    if (row) return { version, row };
    throw new AppError('not_found', `Adapter ${version.name} has no export "${id.slice(0, 80)}"`);
  }

  #record(
    sql: Sql,
    by: Caller,
    { verb, version, id, format }: { verb: string; version: VersionRecord; id: string; format: ExportFormat },
  ): Promise<void> {
    const target = { type: 'adapter', id: version.id };
    const detail = { export: id, format, name: version.name };
    return this.audit.record(sql, by, { action: `adapter.export.${verb}`, target, outcome: 'done', detail });
  }
}

const notHere = ({ name }: VersionRecord): AppError =>
  new AppError('conflict', `The files of adapter ${name} are on another host; ask there`);

function exportView(row: ExportRecord): AdapterExportDto {
  const isThere = row.state === 'completed' && row.files_removed_at === null;
  return {
    id: row.id,
    adapter_id: row.version_id,
    format: row.format,
    state: row.state,
    phase: row.phase,
    progress_percent: percent(row.progress),
    error: row.error,
    files: row.files,
    bytes: row.bytes,
    download_url: isThere ? `/api/adapters/${row.version_id}/exports/${row.id}/download` : null,
    created_by: row.created_by,
    created_at: row.created_at.toISOString(),
    started_at: iso(row.started_at),
    completed_at: iso(row.completed_at),
    removed_at: iso(row.files_removed_at),
  };
}
