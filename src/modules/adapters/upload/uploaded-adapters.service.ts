import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Settings } from '../../../config/settings.js';
import { AppError } from '../../../kernel/errors.js';
import { inTransaction } from '../../../kernel/transaction.js';
import { AuditTrail } from '../../audit/audit.port.js';
import { ArchiveReader } from '../../documents/archive-reader.port.js';
import { UnreadableFile } from '../../documents/document-parser.port.js';
import type { Caller } from '../../security/principal.port.js';
import { NoAdapter, readJson } from '../adapter-folder.js';
import { AdapterPlace } from '../adapter-place.js';
import type { VersionRecord } from '../adapter-versions.port.js';
import { ForeignCheck, type CheckedFolder } from '../foreign-check.js';
import { insertVersion, newVersionId, type NewVersion } from '../new-version.js';
import { metricsOf } from '../trained-facts.js';
import { VersionStore } from '../version.store.js';
import type { SentFile, UploadRequest } from './adapter-upload.js';
import { folderNames } from './file-names.js';
import type { UploadAdapterDto } from './upload.dto.js';

const UNPACK_MS = 10 * 60_000;
const MOST_ENTRIES = 100;
const MOST_RATIO = 1000;

/** Takes in adapters from elsewhere: checked where nobody sees them, then registered as a whole. */
@Injectable()
export class UploadedAdapters {
  constructor(
    private readonly check: ForeignCheck,
    private readonly archives: ArchiveReader,
    private readonly place: AdapterPlace,
    private readonly versions: VersionStore,
    private readonly source: DataSource,
    private readonly audit: AuditTrail,
    private readonly settings: Settings,
  ) {}

  /** @throws AppError `invalid` for what is no adapter of a base of ours; `conflict` where it is there already */
  async take(request: UploadRequest, body: UploadAdapterDto, caller: Caller): Promise<VersionRecord> {
    const { incoming, sent = [] } = request;
    if (!incoming || sent.length === 0)
      throw new AppError('invalid', 'files: the form has no files; send those of the adapter', [
        { path: 'files', message: 'missing' },
      ]);
    const staged = join(incoming.folder, 'adapter');
    try {
      await this.#arrange(sent, staged);
      const checked = await this.check.check(staged, body.base_model);
      return await this.#register(staged, checked, body, caller);
    } catch (error) {
      throw refusalOf(error);
    }
  }

  /** Every file under the name that it has in an adapter's folder. */
  async #arrange(sent: readonly SentFile[], folder: string): Promise<void> {
    await mkdir(folder, { mode: 0o700 });
    const [first] = sent;
    const isArchive = sent.length === 1 && first && (await this.archives.kindOf(first.path)) !== null;
    const files = isArchive ? await this.#unpacked(first.path, `${folder}.unpacked`) : sent;
    const names = folderNames(files.map(({ name }) => name));
    for (const { name, path } of files) {
      const inside = names.get(name);
      if (inside !== undefined) await rename(path, join(folder, inside));
    }
  }

  async #unpacked(archive: string, into: string): Promise<SentFile[]> {
    await mkdir(into, { mode: 0o700 });
    const limits = {
      maxBytes: this.settings.adapters.maxUploadBytes,
      maxEntries: MOST_ENTRIES,
      maxRatio: MOST_RATIO,
    };
    return this.archives.unpack(archive, into, limits, AbortSignal.timeout(UNPACK_MS));
  }

  /** Published by a rename before its row is written: a row without files never is, and files without a row are swept. */
  async #register(staged: string, checked: CheckedFolder, body: UploadAdapterDto, by: Caller): Promise<VersionRecord> {
    const same = await this.versions.sameContent(checked.facts.contentHash, checked.base.hash);
    if (same) throw new AppError('conflict', `This adapter is registered already, as ${same.name}`);
    const version = await this.#version(staged, checked, body, by);
    await rename(staged, version.path);
    await syncFolder(version.path);
    try {
      return await inTransaction(this.source, async (sql) => {
        const row = await insertVersion(sql, version);
        const detail = { name: row.name, base: row.base, content_hash: row.content_hash, bytes: row.bytes };
        const target = { type: 'adapter', id: row.id };
        await this.audit.record(sql, by, { action: 'adapter.upload', target, outcome: 'done', detail });
        return row;
      });
    } catch (error) {
      await rm(version.path, { recursive: true, force: true });
      throw error;
    }
  }

  async #version(staged: string, checked: CheckedFolder, body: UploadAdapterDto, by: Caller): Promise<NewVersion> {
    const { facts, config, lora, base } = checked;
    const id = newVersionId();
    const domains = [...new Set((body.domains ?? []).map((word) => word.toLowerCase()))];
    return {
      id,
      base: base.slug,
      base_path: base.named,
      base_hash: base.hash,
      method: lora.dora ? 'dora' : 'lora',
      rank: lora.rank,
      path: join(this.place.uploads, id),
      place: await this.place.id(),
      content_hash: facts.contentHash,
      bytes: facts.bytes,
      files: facts.files,
      adapter_config: config,
      configuration: {},
      dataset: null,
      metrics: metricsOf(await readJson(staged, 'training_report.json').catch(() => ({}))),
      origin: 'upload',
      job_id: null,
      created_by: by.subject,
      domains,
      tags: body.tags ?? [],
      notes: body.notes ?? '',
      domain: body.domain ?? domains[0] ?? 'upload',
      suffix: body.suffix ?? '',
      organisation: this.settings.adapters.organisation,
    };
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder.sync().finally(() => folder.close());
}

function refusalOf(error: unknown): unknown {
  if (error instanceof NoAdapter || error instanceof UnreadableFile)
    return new AppError('invalid', `files: ${error.message}`, [{ path: 'files', message: error.message }]);
  if (error instanceof DOMException && error.name === 'TimeoutError')
    return new AppError('invalid', `files: the archive took longer than ${UNPACK_MS / 60_000} minutes to unpack`);
  return error;
}
