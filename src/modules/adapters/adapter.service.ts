import { Injectable } from '@nestjs/common';
import { AppError } from '../../kernel/errors.js';
import { decodeCursor, encodeCursor } from '../../kernel/paging.js';
import type { Sql } from '../../kernel/transaction.js';
import { AuditTrail } from '../audit/audit.port.js';
import { isAdmin, type Caller } from '../security/principal.port.js';
import { adapterView } from './adapter-view.js';
import type {
  AdapterDto,
  AdapterListDto,
  AdapterReplyDto,
  ChangeAdapterDto,
  CompareDto,
  DoneDto,
  ListAdaptersQuery,
} from './adapter.dto.js';
import { AdapterSweeper } from './adapter-sweeper.service.js';
import type { VersionRecord } from './adapter-versions.port.js';
import { configurationOf, differences, metricChanges } from './compare.js';
import type { UploadRequest } from './upload/adapter-upload.js';
import type { UploadAdapterDto } from './upload/upload.dto.js';
import { UploadedAdapters } from './upload/uploaded-adapters.service.js';
import { VersionChangesStore } from './version-changes.store.js';
import { VersionStore } from './version.store.js';

/** Versions of adapters as their readers see them, and what their owners do to them. */
@Injectable()
export class AdapterService {
  constructor(
    private readonly versions: VersionStore,
    private readonly changes: VersionChangesStore,
    private readonly uploads: UploadedAdapters,
    private readonly sweeper: AdapterSweeper,
    private readonly audit: AuditTrail,
  ) {}

  async list(query: ListAdaptersQuery): Promise<AdapterListDto> {
    const { base, domain, tag, job_id: jobId, state = 'active', limit = 100, cursor } = query;
    const filter = { base, domain: domain?.toLowerCase(), tag, jobId, state };
    const before = cursor ? decodeCursor(cursor) : undefined;
    const [page, total] = await Promise.all([
      this.versions.page({ ...filter, limit, before }),
      this.versions.count(filter),
    ]);
    const last = page.at(-1);
    return {
      adapters: await this.#views(page),
      total_count: total,
      next_cursor: last && page.length === limit ? encodeCursor(last.seq) : null,
    };
  }

  async get(reference: string): Promise<AdapterReplyDto> {
    return this.#reply(await this.versions.get(reference), 'Adapter details retrieved');
  }

  async upload(request: UploadRequest, body: UploadAdapterDto, caller: Caller): Promise<AdapterReplyDto> {
    const version = await this.uploads.take(request, body, caller);
    return this.#reply(version, `Adapter registered: ${version.name}`);
  }

  async compare(left: string, right: string): Promise<CompareDto> {
    const [first, second] = await Promise.all([this.versions.get(left), this.versions.get(right)]);
    const [a, b] = await Promise.all([this.#view(first), this.#view(second)]);
    return {
      a,
      b,
      same_base: first.base_hash === second.base_hash,
      same_content: first.content_hash === second.content_hash,
      metrics: metricChanges(first.metrics, second.metrics),
      data: differences(first.dataset ?? {}, second.dataset ?? {}),
      configuration: differences(configurationOf(first), configurationOf(second)),
    };
  }

  async change(reference: string, change: ChangeAdapterDto, caller: Caller): Promise<AdapterReplyDto> {
    const version = await this.own(reference, caller, 'change');
    const { notes, tags, domains } = change;
    const set = { notes, tags, domains: domains?.map((word) => word.toLowerCase()) };
    const record = this.#recording(caller, 'adapter.change', version, { fields: Object.keys(change) });
    return this.#reply(await this.changes.change(version.id, set, record), `Adapter changed: ${version.name}`);
  }

  /** Takes it out of use for good: its files go, its ids and names are never given out again. */
  async retire(reference: string, caller: Caller): Promise<DoneDto> {
    const version = await this.own(reference, caller, 'retire');
    const record = this.#recording(caller, 'adapter.retire', version, { name: version.name });
    await this.changes.retire(version, caller.subject, record);
    this.sweeper.wake();
    return { success: true, message: `Adapter retired: ${version.name}` };
  }

  /** An owner changes versions of their own; an admin all. @throws AppError `not_found`, `forbidden` */
  async own(reference: string, caller: Caller, verb: string): Promise<VersionRecord> {
    const version = await this.versions.get(reference);
    if (isAdmin(caller) || version.created_by === caller.subject) return version;
    const target = { type: 'adapter', id: version.id };
    this.audit.refused(caller, { action: 'adapter.change', target, detail: { verb } });
    throw new AppError('forbidden', `Adapter ${version.name} is not yours: only its owner or an admin may ${verb} it`);
  }

  #recording(by: Caller, action: string, { id }: VersionRecord, detail: Record<string, unknown>) {
    const entry = { action, target: { type: 'adapter', id }, outcome: 'done', detail } as const;
    return (sql: Sql): Promise<void> => this.audit.record(sql, by, entry);
  }

  async #reply(version: VersionRecord, message: string): Promise<AdapterReplyDto> {
    return { success: true, message, data: await this.#view(version) };
  }

  async #view(version: VersionRecord): Promise<AdapterDto> {
    const aliases = await this.changes.aliasesOf([version.id]);
    return adapterView(
      version,
      aliases.map(({ alias }) => alias),
    );
  }

  async #views(page: readonly VersionRecord[]): Promise<AdapterDto[]> {
    const aliases = await this.changes.aliasesOf(page.map(({ id }) => id));
    return page.map((version) =>
      adapterView(
        version,
        aliases.filter((each) => each.version_id === version.id).map(({ alias }) => alias),
      ),
    );
  }
}
