import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { AppError } from '../../kernel/errors.js';
import { decodeCursor, encodeCursor } from '../../kernel/paging.js';
import { isUuid } from '../../kernel/uuid.js';
import { AuditTrail } from '../audit/audit.port.js';
import { isAdmin, type Caller } from '../security/principal.port.js';
import { DatasetUse } from '../training/dataset-use.port.js';
import { DatasetChangesStore } from './dataset-changes.store.js';
import type { ListDatasetsQuery } from './dataset-queries.dto.js';
import type { DatasetRecord, VersionRecord } from './dataset-record.js';
import type {
  DatasetListDto,
  DatasetReplyDto,
  DoneReplyDto,
  VersionDto,
  VersionListDto,
} from './dataset-replies.dto.js';
import { DatasetStore, type DatasetWithVersion } from './dataset.store.js';
import { datasetReply, datasetView, versionView, type Places } from './dataset-view.js';
import { mayRead } from './readers.js';

const SHOWN_JOBS = 5;
const HIGHEST_VERSION = 2_147_483_647;

/** Datasets as those who may read them see them, and what their owners do to them. */
@Injectable()
export class DatasetService {
  readonly places: Places;

  constructor(
    private readonly store: DatasetStore,
    private readonly changes: DatasetChangesStore,
    private readonly uses: DatasetUse,
    private readonly audit: AuditTrail,
    settings: Settings,
  ) {
    this.places = { root: settings.root, data: settings.folders.data };
  }

  /** Unknown and unreadable are told alike. @throws AppError `not_found` */
  async find(datasetId: string, caller: Caller): Promise<DatasetWithVersion> {
    const found = isUuid(datasetId) ? await this.store.byId(datasetId) : undefined;
    if (!found || !mayRead(found.dataset, caller)) throw new AppError('not_found', `Dataset not found: ${datasetId}`);
    return found;
  }

  /** An owner changes sets of their own; an admin all. @throws AppError `not_found`, `forbidden` */
  async own(datasetId: string, caller: Caller, verb: string): Promise<DatasetWithVersion> {
    const found = await this.find(datasetId, caller);
    if (isAdmin(caller) || found.dataset.owner === caller.subject) return found;
    this.audit.refused(caller, {
      action: 'dataset.change',
      target: { type: 'dataset', id: datasetId },
      detail: { verb },
    });
    throw new AppError('forbidden', `Dataset ${datasetId} is not yours: only its owner or an admin may ${verb} it`);
  }

  async get(datasetId: string, caller: Caller): Promise<DatasetReplyDto> {
    return this.reply(datasetId, 'Dataset details retrieved', caller);
  }

  async reply(datasetId: string, message: string, caller: Caller): Promise<DatasetReplyDto> {
    const { dataset, version } = await this.find(datasetId, caller);
    return datasetReply(datasetView(dataset, version, this.places), message);
  }

  async list(query: ListDatasetsQuery, caller: Caller): Promise<DatasetListDto> {
    if (query.cursor && query.offset !== undefined)
      throw new AppError('invalid', 'cursor and offset exclude each other; send one of them', [
        { path: 'offset', message: 'not together with cursor' },
      ]);
    const { status, offset, limit = 100 } = query;
    const before = query.cursor ? decodeCursor(query.cursor) : undefined;
    const [page, total] = await Promise.all([
      this.store.page({ status, limit, offset, before }, caller),
      this.store.count(status, caller),
    ]);
    const last = page.at(-1);
    return {
      datasets: page.map(({ dataset, version }) => datasetView(dataset, version, this.places)),
      total_count: total,
      next_cursor: last && page.length === limit ? encodeCursor(last.dataset.seq) : null,
    };
  }

  /** Refused while a job waits or runs with it. @throws AppError `conflict` */
  async remove(datasetId: string, caller: Caller): Promise<DoneReplyDto> {
    await this.own(datasetId, caller, 'delete');
    const jobs = await this.uses.jobsUsing(datasetId, SHOWN_JOBS);
    if (jobs.length > 0)
      throw new AppError(
        'conflict',
        `Dataset ${datasetId} is used by jobs that wait or run: ${jobs.join(', ')}; cancel them first, or wait for their end`,
      );
    const audit = await this.#auditRow(caller, 'dataset.delete', datasetId);
    if (!(await this.changes.remove(datasetId, caller.subject, audit)))
      throw new AppError('not_found', `Dataset not found: ${datasetId}`);
    return { success: true, dataset_id: datasetId, message: `Dataset deleted: ${datasetId}` };
  }

  /** Ends the building of the newest version. @throws AppError `conflict` where it has ended */
  async cancel(datasetId: string, caller: Caller): Promise<DoneReplyDto> {
    const { version } = await this.own(datasetId, caller, 'cancel');
    const audit = await this.#auditRow(caller, 'dataset.cancel', datasetId);
    if (!(await this.changes.cancel(datasetId, version.number, caller.subject, audit)))
      throw new AppError(
        'conflict',
        `Version ${version.number} of dataset ${datasetId} is ${version.state}: nothing to cancel`,
      );
    return { success: true, dataset_id: datasetId, message: `Dataset is being cancelled: ${datasetId}` };
  }

  async versions(datasetId: string, caller: Caller, before = HIGHEST_VERSION, limit = 100): Promise<VersionListDto> {
    await this.find(datasetId, caller);
    const page = await this.store.versions(datasetId, before, limit);
    const last = page.at(-1);
    return {
      dataset_id: datasetId,
      versions: page.map((version) => versionView(version, this.places)),
      next_before: last && page.length === limit && last.number > 1 ? last.number : null,
    };
  }

  async versionView(datasetId: string, number: number, caller: Caller): Promise<VersionDto> {
    await this.find(datasetId, caller);
    const version = await this.store.version(datasetId, number);
    if (!version) throw new AppError('not_found', `Dataset ${datasetId} has no version ${number}`);
    return versionView(version, this.places);
  }

  version(datasetId: string, number: number): Promise<VersionRecord | undefined> {
    return this.store.version(datasetId, number);
  }

  /**
   * A completed version that the caller may read; the newest one where no number is given.
   * @throws AppError `not_found`; `bad_request` where it is not completed, in the original's words
   */
  async completed(
    datasetId: string,
    number: number | undefined,
    caller: Caller,
  ): Promise<{ dataset: DatasetRecord; version: VersionRecord & { build: string } }> {
    const { dataset } = await this.find(datasetId, caller);
    const wanted = number ?? dataset.latest_completed ?? dataset.latest;
    const version = await this.store.version(datasetId, wanted);
    if (!version) throw new AppError('not_found', `Dataset ${datasetId} has no version ${wanted}`);
    const { state, build, error } = version;
    if (state !== 'completed' || build === null)
      throw new AppError('bad_request', `Dataset not ready (status: ${state})${error ? `: ${error}` : ''}`);
    return { dataset, version: { ...version, build } };
  }

  #auditRow(caller: Caller, action: string, datasetId: string): Promise<string | null> {
    return this.audit.row(caller, { action, target: { type: 'dataset', id: datasetId }, outcome: 'done' });
  }
}
