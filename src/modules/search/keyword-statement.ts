import type { KnownTerm } from './question.js';
import type { Scope } from './search-scope.js';

/** Okapi BM25 (Robertson and Zaragoza, 2009) with the usual constants. */
const K1 = 1.2;
const B = 0.75;
/** Of the best by the rare terms, the common ones are looked up. */
export const CANDIDATES = 1500;

/** What the statement is asked: the terms with their weights in the order of its parameters. */
export interface KeywordQuery {
  rare: KnownTerm[];
  common: KnownTerm[];
  weightOf: (term: KnownTerm) => number;
  averageLength: number;
  limit: number;
  scope: Scope;
  /**
   * Where the filters of the scope come in: `first`, the chunks that they leave are looked up term by term; `inside`, before the
   * best candidates are chosen; `after`, of the best candidates only, which is quick where most chunks are left.
   */
  filtering: 'first' | 'inside' | 'after';
}

const scoreOf = (posting: string): string =>
  `q.weight * ${posting}.weight * ${K1 + 1} / (${posting}.weight + ${K1} * (${1 - B} + ${B} * ${posting}.length / $5::float8))`;

/** The most that a term can add to a score, by its weight. */
const MOST_OF_A_TERM = K1 + 1;

/** A filter by documents has asked for the readers already. */
const filterOf = ({ readers, documentIds }: Scope): { join: string; condition: string; value: unknown } | null => {
  const chunk = 'JOIN documents_chunk c USING (chunk_no)';
  if (documentIds) return { join: chunk, condition: 'c.document_id = ANY ($8::uuid[])', value: documentIds };
  if (!readers) return null;
  const join = `${chunk} JOIN documents_document d USING (document_id)`;
  return { join, condition: 'd.readers && $8::text[]', value: readers };
};

/**
 * SQL that finds candidates by the rare terms, completes by the common ones those that can still be among the best, and says
 * which terms each of these has; and its parameters.
 */
export function keywordStatement(query: KeywordQuery): { sql: string; parameters: unknown[] } {
  const { rare, common, weightOf, averageLength, limit, scope, filtering } = query;
  const filter = filterOf(scope);
  const inside = filter && filtering === 'inside' ? filter : { join: '', condition: 'true' };
  const after = filter && filtering === 'after' ? filter : { join: '', condition: 'true' };
  const postings =
    filter && filtering === 'first'
      ? `(SELECT chunk_no FROM documents_chunk c WHERE ${filter.condition}) AS chosen CROSS JOIN rare q
          CROSS JOIN LATERAL (SELECT * FROM search_posting p
            WHERE p.term_id = q.term_id AND p.chunk_no = chosen.chunk_no OFFSET 0) AS p`
      : `rare q JOIN search_posting p USING (term_id) ${inside.join}`;
  const sql = `
WITH rare AS (SELECT * FROM unnest($1::int[], $2::float8[]) AS q (term_id, weight)),
  common AS (SELECT * FROM unnest($3::int[], $4::float8[]) AS q (term_id, weight)),
  candidates AS MATERIALIZED (
    SELECT p.chunk_no, sum(${scoreOf('p')}) AS score FROM ${postings}
      WHERE ${inside.condition} GROUP BY p.chunk_no ORDER BY score DESC, p.chunk_no LIMIT ${CANDIDATES}),
  kept AS MATERIALIZED (SELECT candidates.* FROM candidates ${after.join} WHERE ${after.condition}),
  best AS MATERIALIZED (
    SELECT k.chunk_no, k.score + coalesce((SELECT sum(${scoreOf('p')}) FROM common q JOIN search_posting p USING (term_id)
        WHERE p.chunk_no = k.chunk_no), 0) AS score
      FROM kept k
      WHERE k.score + $7 >= coalesce((SELECT score FROM kept ORDER BY score DESC OFFSET $6 - 1 LIMIT 1), 0)
      ORDER BY score DESC, k.chunk_no LIMIT $6)
SELECT chunk.chunk_id, chunk.document_id, best.score,
    ARRAY(SELECT p.term_id FROM search_posting p WHERE p.term_id = ANY ($1 || $3) AND p.chunk_no = best.chunk_no) AS terms
  FROM best JOIN documents_chunk chunk USING (chunk_no) ORDER BY best.score DESC, best.chunk_no`;
  const parameters = [
    rare.map(({ id }) => id),
    rare.map(weightOf),
    common.map(({ id }) => id),
    common.map(weightOf),
    averageLength,
    limit,
    common.reduce((sum, term) => sum + weightOf(term), 0) * MOST_OF_A_TERM,
    ...(filter ? [filter.value] : []),
  ];
  return { sql, parameters };
}
