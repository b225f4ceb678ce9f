import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { inTransaction, rowsOf, type Sql } from '../../kernel/transaction.js';
import type {
  BuildProgress,
  StoredFile,
  VersionFiles,
  VersionRecord,
  VersionReport,
  VersionStatistics,
} from './dataset-record.js';
import type { Caller, Stored } from '../security/principal.port.js';
import { narrowed } from './readers.js';

/** A version that this process builds. */
export interface Claim extends VersionRecord {
  name: string;
  caller: Stored<Caller>;
  /** Names this build's rows and folder. */
  build: string;
}

export interface Claimant {
  owner: string;
  /** The data folder: files that were taken in lie there. */
  place: string;
  leaseSeconds: number;
}

/** What a finished build is recorded with. */
export interface BuiltVersion {
  readers: string[];
  contentHash: string;
  rows: number;
  tokens: number;
  quality: number;
  statistics: VersionStatistics;
  report: VersionReport;
  files: VersionFiles;
  exports: Record<string, StoredFile>;
}

/** A row as its table has it. */
export interface IndexedRow {
  ordinal: number;
  split: string;
  hash: string;
  place: number;
  size: number;
  source: string;
  document_id: string | null;
  document_version: number | null;
  chunk_id: string | null;
  relevance: number | null;
  quality: number;
  made_by: Readonly<Record<string, string>> | null;
}

const CLAIM = `
WITH next AS (
  SELECT dataset_id, number, build AS former FROM dataset_versions
    WHERE state IN ('pending', 'processing') AND (state = 'pending' OR lease_until < now())
      AND (place IS NULL OR place = $3)
    ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE dataset_versions v SET state = 'processing', attempt = attempt + 1, fence = fence + 1, build = $1::uuid,
    claimed_by = $2, claimed_place = $3, lease_until = now() + make_interval(secs => $4),
    started_at = coalesce(started_at, now()), progress = NULL
  FROM next, dataset_sets s
  WHERE v.dataset_id = next.dataset_id AND v.number = next.number AND s.dataset_id = v.dataset_id
  RETURNING v.*, s.name, next.former`;

/** The queue of versions to build. The fence shuts out a builder whose lease another one took over. */
@Injectable()
export class BuildQueueStore {
  constructor(private readonly source: DataSource) {}

  /** The oldest version that waits, or whose builder is gone; rows of its earlier builds are removed. */
  async claim(by: Claimant, build: string): Promise<Claim | undefined> {
    return inTransaction(this.source, async (sql) => {
      const [claim] = await rowsOf<Claim & { former: string | null }>(sql, CLAIM, [
        build,
        by.owner,
        by.place,
        by.leaseSeconds,
      ]);
      if (!claim) return undefined;
      if (claim.former) await sql.query('DELETE FROM dataset_rows WHERE build = $1', [claim.former]);
      await sql.query(
        `UPDATE dataset_sets SET status = 'processing', updated_at = now() WHERE dataset_id = $1 AND latest = $2`,
        [claim.dataset_id, claim.number],
      );
      return claim;
    });
  }

  /** Tells that the build goes on. @returns false: the version is another's now; `cancelled`: it is not wanted any more */
  async renew(claim: Claim, by: Claimant, progress: BuildProgress): Promise<boolean | 'cancelled'> {
    const [row] = await rowsOf<{ cancelled: boolean }>(
      this.source,
      `UPDATE dataset_versions SET lease_until = now() + make_interval(secs => $4), progress = $5::jsonb
        WHERE dataset_id = $1 AND number = $2 AND fence = $3 AND state = 'processing'
        RETURNING cancel_requested_at IS NOT NULL AS cancelled`,
      [claim.dataset_id, claim.number, claim.fence, by.leaseSeconds, JSON.stringify(progress)],
    );
    if (!row) return false;
    return row.cancelled ? 'cancelled' : true;
  }

  async addRows(build: string, rows: readonly IndexedRow[]): Promise<void> {
    await this.source.query(
      `INSERT INTO dataset_rows (build, ordinal, split, hash, place, size, source, document_id, document_version, chunk_id,
          relevance, quality, made_by)
        SELECT $1::uuid, ordinal, split, decode(hash, 'hex'), place, size, source, document_id, document_version, chunk_id,
            relevance, quality, made_by
          FROM jsonb_to_recordset($2::jsonb) AS r (ordinal int, split text, hash text, place bigint, size int, source text,
            document_id text, document_version int, chunk_id text, relevance real, quality real, made_by jsonb)`,
      [build, JSON.stringify(rows)],
    );
  }

  /**
   * Records a build as the version, once `publish` has given its files their names. Until then nobody sees it.
   * @returns false where the version is another builder's now: nothing was published
   */
  async complete(
    claim: Claim,
    built: BuiltVersion,
    publish: () => Promise<void>,
    audit: (sql: Sql) => Promise<void>,
  ): Promise<boolean> {
    return inTransaction(this.source, async (sql) => {
      if (!(await holds(sql, claim))) return false;
      await publish();
      await sql.query(
        `UPDATE dataset_versions SET state = 'completed', completed_at = now(), caller = NULL, lease_until = NULL,
            progress = NULL, readers = $3, content_hash = $4, rows = $5, total_tokens = $6, quality_average = $7,
            statistics = $8::jsonb, report = $9::jsonb, files = $10::jsonb, exports = $11::jsonb
          WHERE dataset_id = $1 AND number = $2`,
        [
          claim.dataset_id,
          claim.number,
          built.readers,
          built.contentHash,
          built.rows,
          built.tokens,
          built.quality,
          JSON.stringify(built.statistics),
          JSON.stringify(built.report),
          JSON.stringify(built.files),
          JSON.stringify(built.exports),
        ],
      );
      await recordCompleted(sql, claim, built.readers);
      await audit(sql);
      return true;
    });
  }

  /** Records that the version cannot be built, and why. */
  async fail(claim: Claim, error: string, audit: (sql: Sql) => Promise<void>): Promise<boolean> {
    return inTransaction(this.source, async (sql) => {
      if (!(await holds(sql, claim))) return false;
      await sql.query(
        `UPDATE dataset_versions SET state = 'failed', completed_at = now(), error = $3, caller = NULL, lease_until = NULL,
            build = NULL WHERE dataset_id = $1 AND number = $2`,
        [claim.dataset_id, claim.number, error],
      );
      await sql.query('DELETE FROM dataset_rows WHERE build = $1', [claim.build]);
      await sql.query(
        `UPDATE dataset_sets SET status = 'failed', updated_at = now() WHERE dataset_id = $1 AND latest = $2`,
        [claim.dataset_id, claim.number],
      );
      await audit(sql);
      return true;
    });
  }

  /** Lets another round take the version at once, as if this attempt had not been. */
  async release(claim: Claim): Promise<void> {
    await this.source.query(
      `UPDATE dataset_versions SET lease_until = now() - interval '1 second', attempt = attempt - 1
        WHERE dataset_id = $1 AND number = $2 AND fence = $3 AND state = 'processing'`,
      [claim.dataset_id, claim.number, claim.fence],
    );
  }

  /** At the start: nobody else works on this host in this data folder, so what was claimed here is free. */
  async freePlace(place: string): Promise<void> {
    await this.source.query(
      `UPDATE dataset_versions SET lease_until = now() - interval '1 second' WHERE state = 'processing' AND claimed_place = $1`,
      [place],
    );
  }
}

/** Set before version, as whoever deletes it does. */
async function holds(sql: Sql, claim: Claim): Promise<boolean> {
  await sql.query('SELECT 1 FROM dataset_sets WHERE dataset_id = $1 FOR UPDATE', [claim.dataset_id]);
  const rows = await rowsOf(
    sql,
    `SELECT 1 FROM dataset_versions WHERE dataset_id = $1 AND number = $2 AND fence = $3 AND state = 'processing' FOR UPDATE`,
    [claim.dataset_id, claim.number, claim.fence],
  );
  return rows.length > 0;
}

/** A set is read by those who may read all of its versions. */
async function recordCompleted(sql: Sql, claim: Claim, readers: string[]): Promise<void> {
  const [set] = await rowsOf<{ readers: string[]; latest_completed: number | null }>(
    sql,
    'SELECT readers, latest_completed FROM dataset_sets WHERE dataset_id = $1 FOR UPDATE',
    [claim.dataset_id],
  );
  const all = set && set.latest_completed !== null ? narrowed(set.readers, readers) : readers;
  await sql.query(
    `UPDATE dataset_sets SET readers = $3, latest_completed = greatest(latest_completed, $2), updated_at = now(),
        status = CASE WHEN latest = $2 THEN 'completed' ELSE status END WHERE dataset_id = $1`,
    [claim.dataset_id, claim.number, all],
  );
}
