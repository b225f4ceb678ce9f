import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { rowsOf, type Sql } from '../../kernel/transaction.js';
import type { Deployment } from './alias-moves.port.js';

interface Row {
  number: number;
  alias: string;
  version_id: string;
  name: string;
  splits: { version_id: string; weight: number }[];
  kind: 'move' | 'rollback';
  at: Date;
  until: Date | null;
  by: string;
  evidence: Record<string, unknown>;
}

/** A row ends where the next one of its alias begins. */
const DEPLOYMENTS = `
SELECT d.*, v.name, (SELECT n.at FROM adapter_deployments n WHERE n.alias = d.alias AND n.number > d.number
    ORDER BY n.number LIMIT 1) AS until
  FROM adapter_deployments d JOIN adapter_versions v ON v.id = d.version_id`;

const deploymentOf = (row: Row): Deployment => ({
  number: row.number,
  alias: row.alias,
  versionId: row.version_id,
  versionName: row.name,
  splits: row.splits.map(({ version_id: versionId, weight }) => ({ versionId, weight })),
  kind: row.kind,
  from: row.at,
  to: row.until,
  by: row.by,
  evidence: row.evidence,
});

/** What is live under the alias; undefined where there is no such alias. */
export async function liveDeployment(sql: Sql, alias: string): Promise<Deployment | undefined> {
  const [row] = await rowsOf<Row>(
    sql,
    `${DEPLOYMENTS} WHERE d.number = (SELECT max(number) FROM adapter_deployments WHERE alias = $1)`,
    [alias],
  );
  return row && deploymentOf(row);
}

/** The newest version of the alias's history that is not the present one and has its files. */
export async function previousVersion(sql: Sql, alias: string): Promise<string | undefined> {
  const [row] = await rowsOf<{ version_id: string }>(
    sql,
    `SELECT d.version_id FROM adapter_deployments d JOIN adapter_versions v ON v.id = d.version_id
      WHERE d.alias = $1 AND v.retired_at IS NULL
        AND d.version_id <> (SELECT version_id FROM adapter_aliases WHERE alias = $1)
      ORDER BY d.number DESC LIMIT 1`,
    [alias],
  );
  return row?.version_id;
}

export interface HistoryRequest {
  alias: string | undefined;
  versionId: string | undefined;
  /** What was live at this moment. */
  at: Date | undefined;
  limit: number;
  before: number | undefined;
}

/** Reads the history of deployments, which only grows. */
@Injectable()
export class DeploymentStore {
  constructor(private readonly source: DataSource) {}

  /** Newest first. */
  async page({ alias, versionId, at, limit, before }: HistoryRequest): Promise<Deployment[]> {
    const rows = await rowsOf<Row>(
      this.source,
      `SELECT * FROM (${DEPLOYMENTS} WHERE ($1::text IS NULL OR d.alias = $1) AND ($2::uuid IS NULL OR d.version_id = $2)
          AND ($3::timestamptz IS NULL OR d.at <= $3) AND ($4::bigint IS NULL OR d.number < $4)) AS all_of_them
        WHERE $3::timestamptz IS NULL OR until IS NULL OR until > $3 ORDER BY number DESC LIMIT $5`,
      [alias ?? null, versionId ?? null, at ?? null, before ?? null, limit],
    );
    return rows.map(deploymentOf);
  }
}
