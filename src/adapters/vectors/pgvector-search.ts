import { rowsOf, type Sql } from '../../kernel/transaction.js';
import type { Near, NearestQuery } from '../../modules/documents/vector-store.port.js';
import { accessFor } from '../stores/postgres-calls.js';

/** Up to so many rows that match the filters a scan is exact and quick; above, the index is walked. */
const EXACT_ROWS = 10_000;
const MOST_SCANNED = 40_000;
const EF_SEARCH = { least: 100, most: 1000 };

/** A table of a space, the type of its vectors, and what is asked of it. */
interface Place {
  table: string;
  type: string;
  query: NearestQuery;
}

/** What rows must match. */
interface Filter {
  /** As an SQL condition, its parameters numbered from `first`. */
  where: (first: number) => string;
  parameters: unknown[];
}

/** Nearest neighbours in one table, best first. */
export async function nearestIn(sql: Sql, place: Place): Promise<Near[]> {
  const filter = await filterOf(sql, place.query);
  if (filter === null) return [];
  const search = { ...place, filter };
  if (!(await hasMany(sql, place.table, filter))) return scan(sql, search);
  const found = await walk(sql, search);
  // The walk has a bound; with more matches than the limit it fell short only where they are thinly spread.
  return found.length < place.query.limit ? scan(sql, search) : found;
}

/** Null where no row can match. */
async function filterOf(sql: Sql, { readers, documentIds }: NearestQuery): Promise<Filter | null> {
  const access = await accessFor(sql, readers);
  if (access?.length === 0 || documentIds?.length === 0) return null;
  const limits = [
    ...(access ? [{ test: 'access = ANY(%::integer[])', value: access }] : []),
    ...(documentIds ? [{ test: 'document_id = ANY(%::uuid[])', value: documentIds }] : []),
  ];
  return {
    where: (first) => ['true', ...limits.map(({ test }, at) => test.replace('%', `$${first + at}`))].join(' AND '),
    parameters: limits.map(({ value }) => value),
  };
}

async function hasMany(sql: Sql, table: string, { where, parameters }: Filter): Promise<boolean> {
  const statement = `SELECT count(*) AS n FROM (SELECT FROM ${table} WHERE ${where(1)} LIMIT ${EXACT_ROWS + 1}) AS few`;
  const [row] = await rowsOf<{ n: number }>(sql, statement, parameters);
  return (row?.n ?? 0) > EXACT_ROWS;
}

type Search = Place & { filter: Filter };

const distanceAs = (type: string): string => `(embedding <=> $1::${type})`;

const ask = (sql: Sql, { table, type, filter, query }: Search, order: string): Promise<Near[]> =>
  rowsOf<Near>(
    sql,
    `SELECT chunk_id AS "chunkId", document_id AS "documentId", 1 - ${distanceAs(type)} AS similarity
       FROM ${table} WHERE ${filter.where(2)} ORDER BY ${order} LIMIT ${query.limit}`,
    [vectorText(query.embedding), ...filter.parameters],
  );

/** Exact: no index has this order. */
const scan = (sql: Sql, search: Search): Promise<Near[]> =>
  ask(sql, search, `${distanceAs(search.type)} + 0, chunk_id`);

async function walk(sql: Sql, search: Search): Promise<Near[]> {
  const width = Math.min(EF_SEARCH.most, Math.max(EF_SEARCH.least, 2 * search.query.limit));
  await sql.query(
    `SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.max_scan_tuples', $1, true),
       set_config('hnsw.ef_search', $2, true), set_config('enable_sort', 'off', true)`,
    [String(MOST_SCANNED), String(width)],
  );
  const found = await ask(sql, search, distanceAs(search.type));
  return found.toSorted((a, b) => b.similarity - a.similarity || (a.chunkId < b.chunkId ? -1 : 1));
}

/** As pgvector reads it; more digits than it keeps are not sent. */
export const vectorText = (vector: readonly number[]): string =>
  `[${vector.map((number) => Number(number.toPrecision(7))).join(',')}]`;
