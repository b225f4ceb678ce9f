import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppError } from '../../kernel/errors.js';
import { rowsOf } from '../../kernel/transaction.js';
import { isUuid } from '../../kernel/uuid.js';
import { AdapterVersions, type VersionRecord } from './adapter-versions.port.js';

export interface VersionPageRequest {
  limit: number;
  /** Only versions with a lower sequence number. */
  before: number | undefined;
  base: string | undefined;
  domain: string | undefined;
  tag: string | undefined;
  /** A uuid. */
  jobId: string | undefined;
  state: 'active' | 'retired' | 'all';
}

const FILTERS = `
  ($1::bigint IS NULL OR seq < $1) AND ($2::text IS NULL OR base = $2)
  AND ($3::text IS NULL OR $3 = ANY (domains)) AND ($4::text IS NULL OR $4 = ANY (tags))
  AND ($5::text = 'all' OR ($5 = 'retired') = (retired_at IS NOT NULL)) AND ($6::uuid IS NULL OR job_id = $6)`;

/** Reads versions. */
@Injectable()
export class VersionStore extends AdapterVersions {
  constructor(private readonly source: DataSource) {
    super();
  }

  async byId(id: string): Promise<VersionRecord | undefined> {
    if (!isUuid(id)) return undefined;
    return this.#one('id = $1', id);
  }

  async find(reference: string): Promise<VersionRecord | undefined> {
    if (isUuid(reference)) return this.byId(reference);
    if (reference.startsWith('ft:')) return this.#one('model_id = $1', reference);
    return (
      (await this.#one('name = $1', reference)) ??
      (await this.#one('id = (SELECT version_id FROM adapter_aliases WHERE alias = $1)', reference))
    );
  }

  /** By id, name, `ft:` id or alias. @throws AppError `not_found` */
  async get(reference: string): Promise<VersionRecord> {
    const found = await this.find(reference);
    if (found) return found;
    throw new AppError(
      'not_found',
      `There is no adapter "${reference.slice(0, 200)}"; GET /api/adapters lists those that are registered`,
    );
  }

  async ofJob(jobId: string): Promise<VersionRecord | undefined> {
    if (!isUuid(jobId)) return undefined;
    return this.#one('job_id = $1', jobId);
  }

  /** Of these jobs, those that have a version. */
  async registeredJobs(jobIds: readonly string[]): Promise<Set<string>> {
    const rows = await rowsOf<{ job_id: string }>(
      this.source,
      'SELECT job_id FROM adapter_versions WHERE job_id = ANY ($1::uuid[])',
      [jobIds],
    );
    return new Set(rows.map(({ job_id: jobId }) => jobId));
  }

  /** A version in use with the same files. */
  async sameContent(contentHash: string, baseHash: string): Promise<VersionRecord | undefined> {
    const [row] = await rowsOf<VersionRecord>(
      this.source,
      'SELECT * FROM adapter_versions WHERE content_hash = $1 AND base_hash = $2 AND retired_at IS NULL ORDER BY seq LIMIT 1',
      [contentHash, baseHash],
    );
    return row;
  }

  /** Newest first. */
  async page(request: VersionPageRequest): Promise<VersionRecord[]> {
    const { before, base, domain, tag, state, jobId, limit } = request;
    return rowsOf<VersionRecord>(
      this.source,
      `SELECT * FROM adapter_versions WHERE ${FILTERS} ORDER BY seq DESC LIMIT $7`,
      [before ?? null, base ?? null, domain ?? null, tag ?? null, state, jobId ?? null, limit],
    );
  }

  async count({ base, domain, tag, state, jobId }: Omit<VersionPageRequest, 'limit' | 'before'>): Promise<number> {
    const [row] = await rowsOf<{ versions: number }>(
      this.source,
      `SELECT count(*)::int AS versions FROM adapter_versions WHERE ${FILTERS}`,
      [null, base ?? null, domain ?? null, tag ?? null, state, jobId ?? null],
    );
    return row?.versions ?? 0;
  }

  async #one(condition: string, value: string): Promise<VersionRecord | undefined> {
    const [row] = await rowsOf<VersionRecord>(this.source, `SELECT * FROM adapter_versions WHERE ${condition}`, [
      value,
    ]);
    return row;
  }
}
