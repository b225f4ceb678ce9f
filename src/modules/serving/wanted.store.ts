import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { isDatabaseAway, rowsOf, type Sql } from '../../kernel/transaction.js';

export const WANTED_CHANNEL = 'serving_wanted';

/** asked: somebody loaded it by hand. used: a request needed it. */
export type WantedHow = 'asked' | 'used';

export interface WantedRow {
  version_id: string;
  /** False: it was unloaded by hand, and no alias brings it back; a request does. */
  wanted: boolean;
  pinned: boolean;
  how: WantedHow;
  wanted_by: string;
  wanted_at: Date;
  last_used: Date;
}

export interface Want {
  versionId: string;
  how: WantedHow;
  by: string;
  /** undefined: as it is. */
  pinned?: boolean | undefined;
}

/** The set of adapters that every replica should hold. */
@Injectable()
export class WantedStore {
  constructor(private readonly source: DataSource) {}

  all(): Promise<WantedRow[]> {
    return rowsOf<WantedRow>(this.source, 'SELECT * FROM serving_wanted ORDER BY last_used DESC');
  }

  async want(want: Want, sql: Sql = this.source): Promise<void> {
    await sql.query(
      `INSERT INTO serving_wanted AS w (version_id, how, wanted_by, pinned) VALUES ($1, $2, $3, coalesce($4, false))
        ON CONFLICT (version_id) DO UPDATE SET wanted = true, last_used = now(), pinned = coalesce($4, w.pinned),
          how = CASE WHEN w.wanted AND w.how = 'asked' THEN w.how ELSE $2 END,
          wanted_by = CASE WHEN w.wanted AND w.how = 'asked' THEN w.wanted_by ELSE $3 END`,
      [want.versionId, want.how, want.by, want.pinned ?? null],
    );
  }

  async unwant(versionId: string, by: string, sql: Sql = this.source): Promise<void> {
    await sql.query(
      `INSERT INTO serving_wanted (version_id, wanted, how, wanted_by) VALUES ($1, false, 'asked', $2)
        ON CONFLICT (version_id) DO UPDATE SET wanted = false, pinned = false, wanted_by = $2`,
      [versionId, by],
    );
  }

  async forget(versionId: string): Promise<void> {
    await this.source.query('DELETE FROM serving_wanted WHERE version_id = $1 AND NOT pinned', [versionId]);
  }

  /** @param times milliseconds since 1970 by version */
  async used(times: ReadonlyMap<string, number>): Promise<void> {
    if (times.size === 0) return;
    await this.source.query(
      `UPDATE serving_wanted w SET last_used = greatest(w.last_used, to_timestamp(t.ms / 1000.0))
        FROM unnest($1::uuid[], $2::double precision[]) AS t (id, ms) WHERE w.version_id = t.id`,
      [[...times.keys()], [...times.values()]],
    );
  }

  /** Tells the other applications on the database. */
  async announce(): Promise<void> {
    await this.source.query(`SELECT pg_notify('${WANTED_CHANNEL}', '')`).catch((error: unknown) => {
      if (!isDatabaseAway(error)) throw error;
    });
  }
}
