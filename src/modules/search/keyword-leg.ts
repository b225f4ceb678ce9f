import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { trigramSimilarity, trigramsOf } from '../../language/trigrams.js';
import { rowsOf } from '../../kernel/transaction.js';
import type { AskedTerm, Question } from './question.js';
import type { Scope } from './search-scope.js';

/** A chunk that one of the legs found. */
export interface Found {
  chunkId: string;
  documentId: string;
  score: number;
  /** Words of the question that it holds. */
  matched?: string[];
}

interface KnownTerm extends AskedTerm {
  id: number;
  df: number;
}

/** Okapi BM25 (Robertson and Zaragoza, 2009) with the usual constants. */
const K1 = 1.2;
const B = 0.75;
/** Postings that are read of the rarest terms; what is in none of them has little of what was asked. */
const POSTINGS = 8000;
/** Of the best of those, all other terms are looked up. */
const CANDIDATES = 1500;
/** A filter that leaves fewer chunks is followed chunk by chunk, without bounds. */
const FEW_CHUNKS = 5000;
const VARIANT_WEIGHT = 0.5;
const LEAST_SIMILARITY = 0.45;
const VARIANTS = 3;

/** Finds chunks by the words of a question: any of them will do, the rare ones count most. */
@Injectable()
export class KeywordLeg {
  /** @param postings bound on the postings that are read; tests and benchmarks lift it */
  constructor(private readonly source: DataSource) {}

  async find(question: Question, scope: Scope, limit: number, postings = POSTINGS): Promise<Found[]> {
    const [total] = await rowsOf<{ chunks: number; length: number }>(
      this.source,
      'SELECT chunks, length FROM search_total',
    );
    if (!total || total.chunks === 0 || scope.documentIds?.length === 0) return [];
    const terms = await this.#known(question.terms);
    if (terms.length === 0) return [];
    const isNarrow = scope.chunks !== null && scope.chunks <= FEW_CHUNKS;
    const { rare, common } = isNarrow ? { rare: terms, common: [] } : byRarity(terms, postings);
    const weightOf = (term: KnownTerm): number => term.weight * inverseFrequency(term.df, total.chunks);
    const rows = await rowsOf<{ chunk_id: string; document_id: string; score: number; terms: number[] }>(
      this.source,
      statement(scope),
      [
        rare.map(({ id }) => id),
        rare.map(weightOf),
        common.map(({ id }) => id),
        common.map(weightOf),
        Math.max(1, total.length / total.chunks),
        limit,
        ...[scope.readers, scope.documentIds].filter((value) => value !== null),
      ],
    );
    const words = new Map(terms.map(({ id, word }) => [id, word]));
    return rows.map((row) => ({
      chunkId: row.chunk_id,
      documentId: row.document_id,
      score: row.score,
      matched: [...new Set(row.terms.flatMap((id) => words.get(id) ?? []))],
    }));
  }

  /** Terms that the index knows; for a word that it does not, and none of whose parts it does, those spelled most alike. */
  async #known(asked: AskedTerm[]): Promise<KnownTerm[]> {
    const known = await this.#lookUp(asked);
    const words = new Set(known.map(({ word }) => word));
    const unknown = asked.filter(({ word, weight }) => weight === 1 && !words.has(word));
    const variants = await Promise.all(unknown.map((term) => this.#variants(term)));
    return [...known, ...variants.flat()];
  }

  async #lookUp(asked: AskedTerm[]): Promise<KnownTerm[]> {
    const byTerm = new Map(asked.map((term) => [term.term, term]));
    const rows = await rowsOf<{ term: string; term_id: number; df: number }>(
      this.source,
      'SELECT term, term_id, df FROM search_term WHERE term = ANY ($1::text[]) AND df > 0',
      [[...byTerm.keys()]],
    );
    return rows.flatMap(({ term, term_id, df }) => {
      const found = byTerm.get(term);
      return found ? [{ ...found, id: term_id, df }] : [];
    });
  }

  async #variants(asked: AskedTerm): Promise<KnownTerm[]> {
    const trigrams = [...trigramsOf(asked.term)];
    if (trigrams.length === 0 || /\d/.test(asked.term)) return [];
    const rows = await rowsOf<{ term: string; term_id: number; df: number }>(
      this.source,
      `SELECT term, term_id, df FROM search_term
        WHERE trigrams && $1::text[] AND df > 0 AND length(term) BETWEEN $2 AND $3
        ORDER BY cardinality(ARRAY(SELECT unnest(trigrams) INTERSECT SELECT unnest($1::text[]))) DESC LIMIT 20`,
      [trigrams, asked.term.length - 3, asked.term.length + 3],
    );
    return rows
      .map((row) => ({ ...row, likeness: trigramSimilarity(asked.term, row.term) }))
      .filter(({ likeness }) => likeness >= LEAST_SIMILARITY)
      .toSorted((one, other) => other.likeness - one.likeness)
      .slice(0, VARIANTS)
      .map(({ term, term_id, df, likeness }) => ({
        ...asked,
        term,
        weight: VARIANT_WEIGHT * likeness,
        id: term_id,
        df,
      }));
  }
}

/** As Lucene has it: never negative. */
const inverseFrequency = (df: number, chunks: number): number => Math.log(1 + (chunks - df + 0.5) / (df + 0.5));

/** The rarest terms, at least one, as long as all of their postings together stay within the bound; and the others. */
function byRarity(terms: KnownTerm[], postings: number): { rare: KnownTerm[]; common: KnownTerm[] } {
  const sorted = terms.toSorted((one, other) => one.df - other.df);
  let read = 0;
  const rare = sorted.filter(({ df }, index) => index === 0 || (read += df) + (sorted[0]?.df ?? 0) <= postings);
  return { rare, common: sorted.filter((term) => !rare.includes(term)) };
}

const score = (posting: string): string =>
  `q.weight * ${posting}.weight * ${K1 + 1} / (${posting}.weight + ${K1} * (${1 - B} + ${B} * c.length / $5::float8))`;

/** Candidates by the rare terms, the best of them completed by the common ones. */
function statement({ readers, documentIds }: Scope): string {
  const parameters = [
    readers && `d.readers && $7::text[]`,
    documentIds && `c.document_id = ANY ($${readers ? 8 : 7}::uuid[])`,
  ];
  const conditions = parameters.filter((condition) => condition !== null);
  return `
WITH rare AS (SELECT * FROM unnest($1::int[], $2::float8[]) AS q (term_id, weight)),
  common AS (SELECT * FROM unnest($3::int[], $4::float8[]) AS q (term_id, weight)),
  candidates AS MATERIALIZED (
    SELECT p.chunk_no, c.length, sum(${score('p')}) AS score, array_agg(p.term_id) AS terms
      FROM rare q JOIN search_posting p USING (term_id) JOIN documents_chunk c USING (chunk_no)
        ${readers ? 'JOIN documents_document d USING (document_id)' : ''}
      ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''}
      GROUP BY p.chunk_no, c.length ORDER BY score DESC, p.chunk_no LIMIT ${CANDIDATES}),
  completed AS (
    SELECT c.chunk_no, c.score + coalesce(more.score, 0) AS score, c.terms || coalesce(more.terms, '{}') AS terms
      FROM candidates c LEFT JOIN LATERAL (
        SELECT sum(${score('p')}) AS score, array_agg(p.term_id) AS terms
          FROM common q JOIN search_posting p ON p.term_id = q.term_id AND p.chunk_no = c.chunk_no) AS more ON true
      ORDER BY 2 DESC, 1 LIMIT $6)
SELECT chunk.chunk_id, chunk.document_id, completed.score, completed.terms
  FROM completed JOIN documents_chunk chunk USING (chunk_no) ORDER BY completed.score DESC, completed.chunk_no`;
}
