import type { DataSource, EntityManager } from 'typeorm';

/** Anything that runs SQL: the pool, or an open transaction. */
export type Sql = Pick<EntityManager, 'query'>;

const RETRIES = 5;
const retryable = new Set(['40001', '40P01']);
const connectionLost = new Set([
  '57P01',
  '57P02',
  '57P03',
  '08000',
  '08003',
  '08006',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
]);

export const sqlState = (error: unknown): string | undefined => {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
};

/** True where the database is away (stopped, restarting, unreachable) and the same call may succeed later. */
export function isDatabaseAway(error: unknown): boolean {
  const code = sqlState(error) ?? '';
  if (connectionLost.has(code)) return true;
  // A socket file that is gone; a missing file of any other kind is no matter of the database.
  if (code === 'ENOENT') return (error as NodeJS.ErrnoException).syscall === 'connect';
  return (
    error instanceof Error &&
    /Connection terminated|timeout exceeded when trying to connect|ECONNREFUSED/.test(error.message)
  );
}

/** Runs `work` in one transaction; a deadlock or serialisation failure is tried again, at most five times. */
export async function inTransaction<T>(source: DataSource, work: (sql: EntityManager) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await source.transaction(work);
    } catch (error) {
      if (attempt >= RETRIES || !retryable.has(sqlState(error) ?? '')) throw error;
    }
  }
}

/** Rows of a statement; TypeORM answers UPDATE and DELETE with [rows, count], everything else with rows. */
export async function rowsOf<T>(sql: Sql, statement: string, parameters: unknown[] = []): Promise<T[]> {
  const result: unknown = await sql.query(statement, parameters);
  if (!Array.isArray(result)) return [];
  return (result.length === 2 && Array.isArray(result[0]) && typeof result[1] === 'number' ? result[0] : result) as T[];
}
