import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { AppError } from '../../kernel/errors.js';
import type { Caller } from '../security/principal.port.js';
import type { DiffQuery, LineageQuery, RowsQuery } from './dataset-queries.dto.js';
import type { VersionRecord } from './dataset-record.js';
import type { AnalysisDto, DiffDto, DiffRowDto, LineageDto, RowPageDto } from './dataset-replies.dto.js';
import { DatasetService } from './dataset.service.js';
import { shownSource } from './dataset-view.js';
import { placedRows } from './placed-rows.js';
import { RowIndexStore, type Change, type PlacedIndex } from './row-index.store.js';
import type { VersionRow } from './version-row.js';

const SHOWN_DOCUMENTS = 1000;

/** What stands in a version, where it comes from, and how versions differ. */
@Injectable()
export class DatasetReports {
  constructor(
    private readonly datasets: DatasetService,
    private readonly index: RowIndexStore,
  ) {}

  async rows(datasetId: string, number: number, query: RowsQuery, caller: Caller): Promise<RowPageDto> {
    const { version } = await this.datasets.completed(datasetId, number, caller);
    const { from = 0, limit = 100, split = null } = query;
    const places = await this.index.places(version.build, from, limit, split);
    const rows = await this.#read(version, places);
    return {
      dataset_id: datasetId,
      version: version.number,
      rows: rows.map((row) => ({
        ...row,
        row: { ...row.row },
        origin: { ...row.origin },
        findings: [...row.findings] as never,
      })),
      next_from: nextFrom(places, limit),
    };
  }

  async analysis(datasetId: string, number: number | undefined, caller: Caller): Promise<AnalysisDto> {
    const { version } = await this.datasets.completed(datasetId, number, caller);
    const { statistics, report } = version;
    if (!statistics || !report) throw new Error(`version ${version.number} of ${datasetId} has no report`);
    const {
      quality,
      check_score,
      characters,
      relevance,
      checks,
      exact_duplicates: duplicates,
      worst_rows: worst,
      warned,
    } = report;
    return {
      dataset_id: datasetId,
      version: version.number,
      statistics: { ...statistics },
      distributions: { quality, check_score, characters, relevance },
      checks,
      exact_duplicates: duplicates,
      warned_rows: { ...warned },
      worst_rows: worst.map((row) => ({ ...row })),
    };
  }

  async lineage(datasetId: string, query: LineageQuery, caller: Caller): Promise<LineageDto> {
    const { version } = await this.datasets.completed(datasetId, query.version, caller);
    const { from = 0, limit = 100 } = query;
    const [rows, documents] = await Promise.all([
      this.index.lineage(version.build, from, limit),
      this.index.documents(version.build, SHOWN_DOCUMENTS),
    ]);
    return {
      dataset_id: datasetId,
      version: version.number,
      query_text: version.query_text,
      source: shownSource(version.source),
      sources: version.statistics?.sources ?? {},
      documents: documents.map((document) => ({ ...document })),
      rows: rows.map((row) => ({ ...row })),
      next_from: nextFrom(rows, limit),
    };
  }

  async diff(datasetId: string, query: DiffQuery, caller: Caller): Promise<DiffDto> {
    const { limit = 100 } = query;
    const to = (await this.datasets.completed(datasetId, query.to, caller)).version;
    const from = await this.#older(datasetId, query.from ?? to.number - 1, to.number, caller);
    const counts = await this.index.diffCounts(from.build, to.build);
    return {
      dataset_id: datasetId,
      from: from.number,
      to: to.number,
      counts: { ...counts },
      added: await this.#changed({ from, to, change: 'added' }, limit),
      removed: await this.#changed({ from, to, change: 'removed' }, limit),
    };
  }

  async #older(datasetId: string, number: number, to: number, caller: Caller) {
    if (number < 1)
      throw new AppError('bad_request', `Version ${to} of dataset ${datasetId} is its first: name from and to`);
    return (await this.datasets.completed(datasetId, number, caller)).version;
  }

  async #changed(
    { from, to, change }: { from: Built; to: Built; change: Change },
    limit: number,
  ): Promise<DiffRowDto[]> {
    const changed = await this.index.diffRows(from.build, to.build, change, limit);
    const rows = await this.#read(change === 'added' ? to : from, changed);
    return rows.map(({ ordinal, hash, row }) => ({ ordinal, hash, row: { ...row } }));
  }

  async #read(version: VersionRecord, places: readonly PlacedIndex[]): Promise<VersionRow[]> {
    const path = join(this.datasets.places.data, version.files.rows?.path ?? '');
    return placedRows(path, places).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      throw new AppError('conflict', `The files of version ${version.number} are not on this host`);
    });
  }
}

type Built = VersionRecord & { build: string };

const nextFrom = (page: readonly { ordinal: number }[], limit: number): number | null => {
  const last = page.at(-1);
  return last && page.length === limit ? last.ordinal + 1 : null;
};
