import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { rowsOf } from '../../kernel/transaction.js';
import { DatasetCount } from './dataset-count.port.js';
import type { Caller } from '../security/principal.port.js';
import {
  summaryFields,
  type DatasetRecord,
  type DatasetState,
  type VersionRecord,
  type VersionSummary,
} from './dataset-record.js';
import { readerKeysOf } from '../documents/readers.port.js';

export interface PageRequest {
  status?: DatasetState | undefined;
  limit: number;
  offset?: number | undefined;
  /** Only sets with a lower sequence number. */
  before?: number | undefined;
}

/** A set with its newest version. */
export interface DatasetWithVersion {
  dataset: DatasetRecord;
  version: VersionSummary;
}

type Row = DatasetRecord & { version: VersionSummary };

const VISIBLE = `(owner = $1 OR readers && $2::text[])`;

const SUMMARY = `json_build_object(${summaryFields.map((name) => `'${name}', v.${name}`).join(', ')}) AS version`;
/** Everything of a version but who asked for it, and the report, which is long. */
const VERSION = `to_jsonb(v) - 'caller' - 'report' AS version`;

const dates = ['created_at', 'started_at', 'completed_at', 'cancel_requested_at'] as const;

/** A version that came as JSON has its times as text. */
function versionOf(json: Record<string, unknown>): VersionRecord {
  const times = dates.map((name) => [name, typeof json[name] === 'string' ? new Date(json[name]) : null]);
  return { ...json, report: null, ...Object.fromEntries(times) } as VersionRecord;
}

/** Reads datasets and their versions, for those who may. */
@Injectable()
export class DatasetStore extends DatasetCount {
  constructor(private readonly source: DataSource) {
    super();
  }

  /** Undefined: unknown or deleted. Who may read it is for the caller of this to ask. */
  async byId(datasetId: string): Promise<DatasetWithVersion | undefined> {
    const [row] = await rowsOf<Row>(
      this.source,
      `SELECT s.*, ${SUMMARY} FROM dataset_sets s JOIN dataset_versions v ON v.dataset_id = s.dataset_id AND v.number = s.latest
        WHERE s.dataset_id = $1 AND s.deleted_at IS NULL`,
      [datasetId],
    );
    return row && withVersion(row);
  }

  async version(datasetId: string, number: number): Promise<VersionRecord | undefined> {
    const [row] = await rowsOf<VersionRecord>(
      this.source,
      'SELECT * FROM dataset_versions WHERE dataset_id = $1 AND number = $2',
      [datasetId, number],
    );
    return row;
  }

  /** Newest first, below `before`. */
  async versions(datasetId: string, before: number, limit: number): Promise<VersionRecord[]> {
    const rows = await rowsOf<{ version: Record<string, unknown> }>(
      this.source,
      `SELECT ${VERSION} FROM dataset_versions v WHERE dataset_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3`,
      [datasetId, before, limit],
    );
    return rows.map(({ version }) => versionOf(version));
  }

  /** Newest first. The page is cut in the narrow index first; only its rows are then read whole. */
  async page(request: PageRequest, caller: Caller): Promise<DatasetWithVersion[]> {
    const keys = readerKeysOf(caller);
    const { status, limit, offset = 0, before } = request;
    const conditions = [
      'deleted_at IS NULL',
      keys === null ? '$1::text IS NOT NULL AND $2::text[] IS NULL' : VISIBLE,
      status ? 'status = $3' : '$3::text IS NULL',
      before === undefined ? '$4::bigint IS NULL' : 'seq < $4',
    ];
    const rows = await rowsOf<Row>(
      this.source,
      `SELECT s.*, ${SUMMARY} FROM (
          SELECT seq FROM dataset_sets WHERE ${conditions.join(' AND ')} ORDER BY seq DESC LIMIT $5 OFFSET $6) AS page
        JOIN dataset_sets s USING (seq)
        JOIN dataset_versions v ON v.dataset_id = s.dataset_id AND v.number = s.latest ORDER BY s.seq DESC`,
      [caller.subject, keys, status ?? null, before ?? null, limit, offset],
    );
    return rows.map(withVersion);
  }

  async total(): Promise<number> {
    const [row] = await rowsOf<{ datasets: number }>(
      this.source,
      'SELECT coalesce(sum(datasets), 0)::bigint AS datasets FROM dataset_counts',
    );
    return row?.datasets ?? 0;
  }

  /** How many sets of that status, or of any, the caller may read. */
  async count(status: DatasetState | undefined, caller: Caller): Promise<number> {
    const keys = readerKeysOf(caller);
    const [row] = await rowsOf<{ datasets: number }>(
      this.source,
      `SELECT coalesce(sum(datasets), 0)::bigint AS datasets FROM dataset_counts
        WHERE ($3::text IS NULL OR status = $3) AND ${keys === null ? '$1::text IS NOT NULL AND $2::text[] IS NULL' : VISIBLE}`,
      [caller.subject, keys, status ?? null],
    );
    return row?.datasets ?? 0;
  }
}

const withVersion = ({ version, ...dataset }: Row): DatasetWithVersion => ({ dataset, version });
