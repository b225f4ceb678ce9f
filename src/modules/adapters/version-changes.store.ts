import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppError } from '../../kernel/errors.js';
import { inTransaction, rowsOf, type Sql } from '../../kernel/transaction.js';
import type { VersionRecord } from './adapter-versions.port.js';
import { lockAliases } from './alias-moves.store.js';

/** What may change of a version. */
export interface VersionChange {
  notes?: string | undefined;
  tags?: string[] | undefined;
  domains?: string[] | undefined;
}

const AT_ONCE = 50;

/** Changes of versions, each with its audit row in one transaction. */
@Injectable()
export class VersionChangesStore {
  constructor(private readonly source: DataSource) {}

  async change(
    id: string,
    { notes, tags, domains }: VersionChange,
    record: (sql: Sql) => Promise<void>,
  ): Promise<VersionRecord> {
    return inTransaction(this.source, async (sql) => {
      const [row] = await rowsOf<VersionRecord>(
        sql,
        `UPDATE adapter_versions SET notes = coalesce($2, notes), tags = coalesce($3::text[], tags),
            domains = coalesce($4::text[], domains) WHERE id = $1 RETURNING *`,
        [id, notes ?? null, tags ?? null, domains ?? null],
      );
      if (!row) throw new AppError('not_found', `There is no adapter ${id}`);
      await record(sql);
      return row;
    });
  }

  /** Refused while an alias leads to it: under the same lock as moves, so that neither overtakes the other. */
  async retire(version: VersionRecord, by: string, record: (sql: Sql) => Promise<void>): Promise<void> {
    await inTransaction(this.source, async (sql) => {
      await lockAliases(sql);
      const aliases = await aliasesOf(sql, [version.id]);
      if (aliases.length > 0)
        throw inUse(
          version,
          aliases.map(({ alias }) => alias),
        );
      const gone = await rowsOf(
        sql,
        `UPDATE adapter_versions SET retired_at = now(), retired_by = $2 WHERE id = $1 AND retired_at IS NULL RETURNING id`,
        [version.id, by],
      );
      if (gone.length === 0) throw new AppError('conflict', `Adapter ${version.name} is retired already`);
      await sql.query(
        `UPDATE adapter_exports SET cancel_requested_at = now() WHERE version_id = $1 AND state IN ('pending', 'running')`,
        [version.id],
      );
      await record(sql);
    });
  }

  aliasesOf(ids: readonly string[]): Promise<{ alias: string; version_id: string }[]> {
    return aliasesOf(this.source, ids);
  }

  /** Retired versions of this place whose files may still be there, and which no export reads any more. */
  async withFiles(place: string): Promise<Pick<VersionRecord, 'id' | 'path'>[]> {
    return rowsOf(
      this.source,
      `SELECT id, path FROM adapter_versions v WHERE retired_at IS NOT NULL AND files_removed_at IS NULL AND place = $1
        AND NOT EXISTS (SELECT FROM adapter_exports e WHERE e.version_id = v.id AND e.state IN ('pending', 'running'))
        ORDER BY retired_at LIMIT $2`,
      [place, AT_ONCE],
    );
  }

  async filesRemoved(id: string): Promise<void> {
    await inTransaction(this.source, async (sql) => {
      await sql.query('UPDATE adapter_versions SET files_removed_at = now() WHERE id = $1', [id]);
      await sql.query(
        `UPDATE adapter_exports SET files_removed_at = now() WHERE version_id = $1 AND state = 'completed'`,
        [id],
      );
    });
  }
}

const aliasesOf = (sql: Sql, ids: readonly string[]): Promise<{ alias: string; version_id: string }[]> =>
  rowsOf(
    sql,
    `SELECT alias, version_id FROM adapter_aliases WHERE version_id = ANY ($1::uuid[])
      UNION SELECT a.alias, s.version_id FROM adapter_aliases a, jsonb_to_recordset(a.splits) AS s (version_id uuid)
        WHERE s.version_id = ANY ($1::uuid[])
      ORDER BY alias`,
    [ids],
  );

const inUse = ({ name }: VersionRecord, aliases: readonly string[]): AppError =>
  new AppError('conflict', `Adapter ${name} is in use by the alias ${aliases.join(', ')}; move or remove it first`);
