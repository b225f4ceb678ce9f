import type { DataSource } from 'typeorm';
import { messageOf } from '../../kernel/errors.js';
import type { Log } from '../../kernel/log.js';
import { inTransaction, rowsOf, type Sql } from '../../kernel/transaction.js';
import { StoreUnavailable } from './replica.port.js';
import type { VectorStore } from './vector-store.port.js';

const RETRY_SECONDS = 5;

/** Spaces that are searched no more: each is removed from its store, at once or as soon as the store is up. */
export class RetiredSpaces {
  constructor(
    private readonly source: DataSource,
    private readonly vectors: VectorStore,
    private readonly log: Log,
  ) {}

  /** In the transaction after which nobody searches them. */
  async retire(sql: Sql, spaceIds: readonly string[]): Promise<void> {
    await sql.query(
      `INSERT INTO search_retired_space (store, space_id) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING`,
      [this.vectors.name, spaceIds],
    );
  }

  /** Its model is back before it was removed: it begins empty, as what is in it is of then. @throws StoreUnavailable */
  async revive(spaceId: string): Promise<void> {
    await inTransaction(this.source, async (sql) => {
      const rows = await rowsOf(
        sql,
        'DELETE FROM search_retired_space WHERE store = $1 AND space_id = $2 RETURNING space_id',
        [this.vectors.name, spaceId],
      );
      if (rows.length > 0) await this.vectors.drop(spaceId);
    });
  }

  /** Removes what is due; a store that is down is asked again later. */
  async drop(): Promise<void> {
    while (await inTransaction(this.source, (sql) => this.#dropOne(sql)));
  }

  /** The row is locked meanwhile, so that nobody makes the space anew in that moment. */
  async #dropOne(sql: Sql): Promise<boolean> {
    const [row] = await rowsOf<{ space_id: string }>(
      sql,
      `SELECT space_id FROM search_retired_space WHERE store = $1 AND retry_at <= now()
        ORDER BY retry_at LIMIT 1 FOR UPDATE SKIP LOCKED`,
      [this.vectors.name],
    );
    if (!row) return false;
    const values = [this.vectors.name, row.space_id];
    try {
      await this.vectors.drop(row.space_id);
      await sql.query('DELETE FROM search_retired_space WHERE store = $1 AND space_id = $2', values);
      this.log.info('the vectors of an earlier model were removed', { space: row.space_id });
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      await sql.query(
        `UPDATE search_retired_space SET retry_at = clock_timestamp() + interval '${RETRY_SECONDS} seconds'
          WHERE store = $1 AND space_id = $2`,
        values,
      );
      this.log.warn('the vectors of an earlier model are still there', {
        space: row.space_id,
        reason: messageOf(error),
      });
    }
    return true;
  }
}
