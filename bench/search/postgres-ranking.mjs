import { searchable } from './corpus.mjs';

const DEPTH = 100;
/** ts_rank's own options: the rank as it is, and divided by 1 + the logarithm of the length. */
const NORMALISATIONS = [0, 1];

/** Any word of the question: AND would find almost nothing. */
const RANKING = `
SELECT id, ts_rank(words, query, $2::int)::float8 AS score
  FROM bench_passages, (SELECT replace(plainto_tsquery('german', $1)::text, '&', '|')::tsquery AS query) AS asked
  WHERE words @@ query ORDER BY score DESC, id LIMIT ${DEPTH}`;

/**
 * The peer: PostgreSQL's own `german` configuration, ranked by ts_rank.
 * @param {{query: (sql: string, values?: unknown[]) => Promise<any[]>}} postgres
 * @param {import('./corpus.mjs').Passage[]} passages
 * @param {import('./judge.mjs').Question[]} questions
 * @returns {Promise<{normalisation: number, rankings: string[][]}[]>} ids by question, best first
 */
export async function postgresRankings(postgres, passages, questions) {
  await postgres.query('DROP TABLE IF EXISTS bench_passages');
  await postgres.query('CREATE TABLE bench_passages (id text PRIMARY KEY, words tsvector NOT NULL)');
  await postgres.query(
    `INSERT INTO bench_passages SELECT id, to_tsvector('german', text) FROM unnest($1::text[], $2::text[]) AS given (id, text)`,
    [passages.map(({ id }) => id), passages.map(searchable)],
  );
  await postgres.query('CREATE INDEX ON bench_passages USING gin (words)');
  const runs = [];
  for (const normalisation of NORMALISATIONS) {
    const rankings = [];
    for (const { question } of questions) {
      const rows = await postgres.query(RANKING, [question, normalisation]);
      rankings.push(rows.map(({ id }) => id));
    }
    runs.push({ normalisation, rankings });
  }
  await postgres.query('DROP TABLE bench_passages');
  return runs;
}
