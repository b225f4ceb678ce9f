import { randomUUID } from 'node:crypto';
import { rowsOf, type Sql } from '../../kernel/transaction.js';
import type { VersionRecord } from './adapter-versions.port.js';
import { modelIdOf, namePrefixOf } from './version-name.js';

/** What is known of a version before it has its names. */
export type NamelessVersion = Omit<
  VersionRecord,
  'seq' | 'name' | 'model_id' | 'format' | 'created_at' | 'retired_at' | 'retired_by' | 'files_removed_at'
>;

/** What is to be registered; the name's number comes with the registration. */
export type NewVersion = NamelessVersion & {
  /** First part of the name. */
  domain: string;
  /** Of the `ft:` id. */
  suffix: string;
  organisation: string;
};

export const newVersionId = (): string => randomUUID();

/** Counts up under the row lock of the prefix: a transaction that fails gives the number back, a version that goes does not. */
async function nextName(sql: Sql, prefix: string): Promise<string> {
  const [row] = await rowsOf<{ last: number }>(
    sql,
    `INSERT INTO adapter_names AS n (prefix, last) VALUES ($1, 1)
      ON CONFLICT (prefix) DO UPDATE SET last = n.last + 1 RETURNING last`,
    [prefix],
  );
  if (!row) throw new Error('PostgreSQL returned no row for an INSERT');
  return `${prefix}-v${row.last}`;
}

const INSERT = `
INSERT INTO adapter_versions (id, name, model_id, base, base_path, base_hash, method, rank, format, path, place,
    content_hash, bytes, files, adapter_config, configuration, dataset, metrics, origin, job_id, created_by, domains, tags, notes)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'peft', $9, $10, $11, $12, $13::jsonb, $14::jsonb, $15::jsonb, $16::jsonb,
    $17::jsonb, $18, $19, $20, $21, $22, $23)
  RETURNING *`;

/** Registers a version in the transaction of `sql`. */
export async function insertVersion(sql: Sql, version: NewVersion): Promise<VersionRecord> {
  const name = await nextName(sql, namePrefixOf(version.domain, version.method, version.rank));
  return insertNamedVersion(sql, version, { name, modelId: modelIdOf(version) });
}

/** Registers a version under names of its own, which nobody else may have. */
export async function insertNamedVersion(
  sql: Sql,
  version: NamelessVersion,
  { name, modelId }: { name: string; modelId: string },
): Promise<VersionRecord> {
  const [row] = await rowsOf<VersionRecord>(sql, INSERT, [
    version.id,
    name,
    modelId,
    version.base,
    version.base_path,
    version.base_hash,
    version.method,
    version.rank,
    version.path,
    version.place,
    version.content_hash,
    version.bytes,
    JSON.stringify(version.files),
    JSON.stringify(version.adapter_config),
    JSON.stringify(version.configuration),
    version.dataset === null ? null : JSON.stringify(version.dataset),
    JSON.stringify(version.metrics),
    version.origin,
    version.job_id,
    version.created_by,
    version.domains,
    version.tags,
    version.notes,
  ]);
  if (!row) throw new Error('PostgreSQL returned no row for an INSERT');
  return row;
}
