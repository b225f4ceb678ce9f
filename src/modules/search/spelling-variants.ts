import { isSingleEdit } from '../../language/single-edit.js';
import { trigramSimilarity, trigramsOf } from '../../language/trigrams.js';
import { rowsOf, type Sql } from '../../kernel/transaction.js';
import type { AskedTerm, KnownTerm } from './question.js';

const WEIGHT = 0.5;
const LEAST_SIMILARITY = 0.45;
const MOST = 3;
const LONGER = 3;
/** An error of typing changes trigrams that lie together: of three groups it leaves one as it was. */
const GROUPS = 3;
const MOST_CANDIDATES = 500;

/**
 * Terms of the index that are spelled most like one that it does not have.
 * @param hasKnownParts such a word is a compound that no document has, or an error of typing: only the latter has variants
 */
export async function spellingVariants(
  sql: Sql,
  asked: AskedTerm,
  { hasKnownParts }: { hasKnownParts: boolean },
): Promise<KnownTerm[]> {
  const trigrams = trigramsOf(asked.term);
  if (trigrams.length < GROUPS || /\d/.test(asked.term)) return [];
  const rows = await rowsOf<{ term: string; term_id: number; df: number }>(
    sql,
    `SELECT term, term_id, df FROM search_term
      WHERE (trigrams @> $1::text[] OR trigrams @> $2::text[] OR trigrams @> $3::text[]) AND df > 0
        AND length(term) BETWEEN $4 AND $5 LIMIT ${MOST_CANDIDATES}`,
    [...groupsOf(trigrams), asked.term.length - LONGER, asked.term.length + LONGER],
  );
  return rows
    .map((row) => ({ ...row, likeness: likenessOf(asked.term, row.term) }))
    .filter(({ likeness }) => likeness >= (hasKnownParts ? 1 : LEAST_SIMILARITY))
    .toSorted((one, other) => other.likeness - one.likeness || other.df - one.df)
    .slice(0, MOST)
    .map(({ term, term_id, df, likeness }) => ({ ...asked, term, weight: WEIGHT * likeness, id: term_id, df }));
}

/** One error of typing is as good as none. */
const likenessOf = (asked: string, term: string): number =>
  isSingleEdit(asked, term) ? 1 : trigramSimilarity(asked, term);

const groupsOf = (trigrams: readonly string[]): string[][] =>
  Array.from({ length: GROUPS }, (_, group) =>
    trigrams.slice(
      Math.floor((group * trigrams.length) / GROUPS),
      Math.floor(((group + 1) * trigrams.length) / GROUPS),
    ),
  );
