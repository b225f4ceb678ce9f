import { createHash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { messageOf } from '../../kernel/errors.js';
import { inTransaction, rowsOf, sqlState, type Sql } from '../../kernel/transaction.js';
import type { ReaderKey } from '../../modules/documents/replica.port.js';
import { cleaned } from './clean-text.js';
import { answered } from './store-call.js';

const UNDEFINED_TABLE = '42P01';
const CANCELLED = '57014';
/** Class of what is wrong with a value, such as an id that is no UUID. */
const DATA_EXCEPTION = '22';

/** Calls of a store that lives in the application's own database. */
export class PostgresCalls {
  constructor(
    readonly store: string,
    private readonly source: DataSource,
    readonly timeoutMs: number,
  ) {}

  /** One transaction whose statements end with the call. @throws StoreUnavailable @throws RangeError on a wrong value */
  transaction<T>(work: (sql: Sql) => Promise<T>, timeoutMs = this.timeoutMs): Promise<T> {
    const limited = async (sql: Sql): Promise<T> => {
      await sql.query(`SET LOCAL statement_timeout = ${Math.ceil(timeoutMs)}`);
      return work(sql).catch((error: unknown) => {
        if (sqlState(error)?.startsWith(DATA_EXCEPTION)) throw new RangeError(messageOf(error));
        throw error;
      });
    };
    return answered(this.store, timeoutMs, () => inTransaction(this.source, limited), reasonOf);
  }

  rows<T>(statement: string, parameters: unknown[] = []): Promise<T[]> {
    return this.transaction((sql) => rowsOf<T>(sql, statement, parameters));
  }

  /** The number of a set of readers, made where there is none: by itself, so that no long transaction holds others up. */
  async accessOf(readers: readonly ReaderKey[]): Promise<number> {
    const keys = [...new Set(cleaned(readers))].toSorted();
    const digest = createHash('sha256').update(JSON.stringify(keys)).digest('hex');
    const known = 'SELECT set_id AS id FROM store_reader_sets WHERE digest = $1';
    const [found] = await this.rows<{ id: number }>(known, [digest]);
    if (found) return found.id;
    const insert = 'INSERT INTO store_reader_sets (digest, readers) VALUES ($1, $2) ON CONFLICT DO NOTHING';
    await this.rows(insert, [digest, keys]);
    const [made] = await this.rows<{ id: number }>(known, [digest]);
    if (!made) throw new Error(`the set of readers ${digest} is gone again`);
    return made.id;
  }
}

/** Numbers of the sets of readers in which the caller is; null: no limit. */
export async function accessFor(sql: Sql, keys: readonly ReaderKey[] | null): Promise<number[] | null> {
  if (keys === null) return null;
  const statement = 'SELECT set_id AS id FROM store_reader_sets WHERE readers && $1::text[]';
  return (await rowsOf<{ id: number }>(sql, statement, [cleaned(keys)])).map(({ id }) => id);
}

function reasonOf(error: unknown): string {
  const state = sqlState(error);
  if (state === CANCELLED) return 'a statement took too long and was ended';
  if (state === UNDEFINED_TABLE) return `${messageOf(error)}; was it opened?`;
  return messageOf(error);
}
