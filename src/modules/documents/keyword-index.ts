import { trigramsOf } from '../../language/trigrams.js';
import { rowsOf, type Sql } from '../../kernel/transaction.js';

/** Weights of the terms of one chunk; a term that stands in it twice counts twice. */
export type TermWeights = ReadonlyMap<string, number>;

const POSTINGS_AT_ONCE = 20_000;
/** Terms longer than this are no words; they would only fill the index. */
const LONGEST_TERM = 64;

/** The inverted index behind the keyword search; whoever changes it holds the lock of the index. */
export const INDEX_LOCK = `SELECT pg_advisory_xact_lock(hashtext('clara keyword index'))`;

/** Adds chunks to the index. `chunks`: by number of the chunk. */
export async function addToIndex(sql: Sql, chunks: ReadonlyMap<number, TermWeights>): Promise<void> {
  const frequencies = new Map<string, number>();
  for (const terms of chunks.values())
    for (const term of terms.keys()) frequencies.set(term, (frequencies.get(term) ?? 0) + 1);
  const ids = await termIds(
    sql,
    [...frequencies.keys()].filter((term) => term.length <= LONGEST_TERM),
  );
  await countTerms(sql, ids, frequencies);
  await insertPostings(sql, ids, chunks);
  await countChunks(sql, chunks.size, sum([...chunks.values()].map(lengthOf)));
}

/** Takes all chunks of a document out of the index; their rows are the caller's to delete. */
export async function removeFromIndex(sql: Sql, documentId: string): Promise<void> {
  await sql.query(
    `WITH gone AS (
        DELETE FROM search_posting p USING documents_chunk c
          WHERE c.document_id = $1 AND p.chunk_no = c.chunk_no RETURNING p.term_id),
      counted AS (SELECT term_id, count(*)::int AS chunks FROM gone GROUP BY term_id)
     UPDATE search_term t SET df = df - counted.chunks FROM counted WHERE t.term_id = counted.term_id`,
    [documentId],
  );
  await sql.query(
    `UPDATE search_total SET chunks = search_total.chunks - gone.chunks, length = search_total.length - gone.length
      FROM (SELECT count(*) AS chunks, coalesce(sum(length), 0) AS length FROM documents_chunk WHERE document_id = $1) AS gone`,
    [documentId],
  );
}

/** The length of a chunk as BM25 compares it. */
export const lengthOf = (terms: TermWeights): number => sum([...terms.values()]);

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

async function termIds(sql: Sql, terms: string[]): Promise<Map<string, number>> {
  const ids = await known(sql, terms);
  const missing = terms.filter((term) => !ids.has(term));
  if (missing.length === 0) return ids;
  await sql.query(
    `INSERT INTO search_term (term, trigrams)
      SELECT row ->> 'term', ARRAY(SELECT jsonb_array_elements_text(row -> 'trigrams'))
        FROM jsonb_array_elements($1::jsonb) AS row ON CONFLICT (term) DO NOTHING`,
    [JSON.stringify(missing.map((term) => ({ term, trigrams: [...trigramsOf(term)] })))],
  );
  return new Map([...ids, ...(await known(sql, missing))]);
}

async function known(sql: Sql, terms: string[]): Promise<Map<string, number>> {
  const rows = await rowsOf<{ term: string; term_id: number }>(
    sql,
    'SELECT term, term_id FROM search_term WHERE term = ANY ($1::text[])',
    [terms],
  );
  return new Map(rows.map(({ term, term_id }) => [term, term_id]));
}

async function countTerms(sql: Sql, ids: Map<string, number>, frequencies: Map<string, number>): Promise<void> {
  const counted = [...ids].map(([term, id]) => [id, frequencies.get(term) ?? 0] as const);
  await sql.query(
    `UPDATE search_term t SET df = df + added.chunks
      FROM unnest($1::int[], $2::int[]) AS added (term_id, chunks) WHERE t.term_id = added.term_id`,
    [counted.map(([id]) => id), counted.map(([, chunks]) => chunks)],
  );
}

async function insertPostings(
  sql: Sql,
  ids: Map<string, number>,
  chunks: ReadonlyMap<number, TermWeights>,
): Promise<void> {
  const columns: [number[], number[], number[], number[]] = [[], [], [], []];
  const flush = async (): Promise<void> => {
    await sql.query(
      `INSERT INTO search_posting (term_id, chunk_no, weight, length)
        SELECT * FROM unnest($1::int[], $2::int[], $3::real[], $4::real[])`,
      columns.map((column) => column.splice(0)),
    );
  };
  for (const [chunk, terms] of chunks) {
    const length = lengthOf(terms);
    for (const [term, weight] of terms) {
      const id = ids.get(term);
      if (id === undefined) continue;
      columns[0].push(id);
      columns[1].push(chunk);
      columns[2].push(weight);
      columns[3].push(length);
      if (columns[0].length >= POSTINGS_AT_ONCE) await flush();
    }
  }
  if (columns[0].length > 0) await flush();
}

async function countChunks(sql: Sql, chunks: number, length: number): Promise<void> {
  await sql.query('UPDATE search_total SET chunks = chunks + $1, length = length + $2', [chunks, length]);
}
