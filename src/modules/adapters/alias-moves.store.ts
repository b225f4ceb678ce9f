import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppError } from '../../kernel/errors.js';
import { inTransaction, rowsOf, type Sql } from '../../kernel/transaction.js';
import { isUuid } from '../../kernel/uuid.js';
import { AuditTrail } from '../audit/audit.port.js';
import { problemOfAlias, problemOfSplits } from './alias-name.js';
import { AliasMoves, type Deployment, type Reason } from './alias-moves.port.js';
import { liveDeployment, previousVersion } from './deployment.store.js';

type Splits = readonly { versionId: string; weight: number }[];

interface Target {
  versionId: string;
  splits: Splits;
  kind: 'move' | 'rollback';
}

/** "aliases" of CLARA: one change of an alias after the other, and none beside the retiring of a version. */
const ALIAS_LOCK = 0x616c6961;

/** As exact as it is shown: who asks for the moment that the API named gets what began there. */
const NOW = `date_trunc('milliseconds', clock_timestamp())`;

export const lockAliases = (sql: Sql): Promise<unknown> => sql.query('SELECT pg_advisory_xact_lock($1)', [ALIAS_LOCK]);

/** Aliases in PostgreSQL. */
@Injectable()
export class PostgresAliasMoves extends AliasMoves {
  constructor(
    private readonly source: DataSource,
    private readonly audit: AuditTrail,
  ) {
    super();
  }

  async move(alias: string, to: string, reason: Reason & { splits?: Splits }): Promise<Deployment> {
    checkName(alias);
    return inTransaction(this.source, async (sql) => {
      await lockAliases(sql);
      const target = await targetOf(sql, alias, to, reason.splits ?? []);
      const live = await liveDeployment(sql, alias);
      if (live && isSame(live, target)) return live;
      if (!live) await checkFree(sql, alias);
      await this.#write(sql, alias, target, reason);
      return (await liveDeployment(sql, alias)) as Deployment;
    });
  }

  async remove(alias: string, reason: Reason): Promise<void> {
    await inTransaction(this.source, async (sql) => {
      await lockAliases(sql);
      const gone = await rowsOf(sql, 'DELETE FROM adapter_aliases WHERE alias = $1 RETURNING alias', [alias]);
      if (gone.length === 0) throw new AppError('not_found', `There is no alias "${alias.slice(0, 80)}"`);
      await sql.query(
        `INSERT INTO adapter_deployments (alias, kind, at, by, evidence) VALUES ($1, 'remove', ${NOW}, $2, $3::jsonb)`,
        [alias, reason.by.subject, JSON.stringify(reason.evidence)],
      );
      await this.#record(sql, alias, reason, { action: 'adapter.alias.remove', detail: {} });
    });
  }

  previous(alias: string): Promise<string | undefined> {
    return previousVersion(this.source, alias);
  }

  async #write(sql: Sql, alias: string, target: Target, reason: Reason): Promise<void> {
    const splits = JSON.stringify(target.splits.map(({ versionId, weight }) => ({ version_id: versionId, weight })));
    await sql.query(
      `INSERT INTO adapter_aliases (alias, version_id, splits, moved_at) VALUES ($1, $2, $3::jsonb, ${NOW})
        ON CONFLICT (alias) DO UPDATE SET version_id = $2, splits = $3::jsonb, moved_at = ${NOW}`,
      [alias, target.versionId, splits],
    );
    await sql.query(
      `INSERT INTO adapter_deployments (alias, version_id, splits, kind, at, by, evidence)
        SELECT alias, version_id, splits, $2, moved_at, $3, $4::jsonb FROM adapter_aliases WHERE alias = $1`,
      [alias, target.kind, reason.by.subject, JSON.stringify(reason.evidence)],
    );
    const { versionId, kind } = target;
    const detail = { version: versionId, splits: target.splits, kind };
    await this.#record(sql, alias, reason, { action: 'adapter.alias.move', detail });
  }

  #record(sql: Sql, alias: string, { by, evidence }: Reason, done: { action: string; detail: object }): Promise<void> {
    const target = { type: 'adapter_alias', id: alias };
    const { action, detail } = done;
    return this.audit.record(sql, by, { action, target, outcome: 'done', detail: { ...detail, evidence } });
  }
}

const isSame = (live: Deployment, target: Target): boolean =>
  live.versionId === target.versionId && JSON.stringify(live.splits) === JSON.stringify(target.splits);

function checkName(alias: string): void {
  const problem = problemOfAlias(alias);
  if (problem === undefined) return;
  throw new AppError('invalid', `alias: "${alias.slice(0, 80)}" ${problem}`, [{ path: 'alias', message: problem }]);
}

/** A name means one thing: what a version or a base is called is no alias. */
async function checkFree(sql: Sql, alias: string): Promise<void> {
  const taken = await rowsOf(sql, 'SELECT 1 FROM adapter_versions WHERE name = $1 OR base = $1 LIMIT 1', [alias]);
  if (taken.length > 0)
    throw new AppError('conflict', `"${alias}" is the name of a version or a base model; take another one`);
}

async function targetOf(sql: Sql, alias: string, to: string, splits: Splits): Promise<Target> {
  const versionId = to === 'previous' ? await previousVersion(sql, alias) : to;
  if (versionId === undefined)
    throw new AppError('conflict', `Nothing was live under "${alias}" before that could come back`);
  const problem = problemOfSplits(versionId, splits);
  if (problem !== undefined)
    throw new AppError('invalid', `splits: ${problem}`, [{ path: 'splits', message: problem }]);
  for (const id of [versionId, ...splits.map((split) => split.versionId)]) await checkUsable(sql, id);
  const plain = splits.map((split) => ({ versionId: split.versionId, weight: split.weight }));
  return { versionId, splits: plain, kind: to === 'previous' ? 'rollback' : 'move' };
}

async function checkUsable(sql: Sql, id: string): Promise<void> {
  const [version] = isUuid(id)
    ? await rowsOf<{ name: string; retired: boolean }>(
        sql,
        'SELECT name, retired_at IS NOT NULL AS retired FROM adapter_versions WHERE id = $1',
        [id],
      )
    : [];
  if (!version) throw new AppError('not_found', `There is no adapter version ${id.slice(0, 80)}`);
  if (version.retired)
    throw new AppError('conflict', `Version ${version.name} is retired: its files are gone; take another one`);
}
