import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { rowsOf } from '../../kernel/transaction.js';
import { CANDIDATES, keywordStatement, type KeywordQuery } from './keyword-statement.js';
import type { AskedTerm, KnownTerm, Question } from './question.js';
import type { Scope } from './search-scope.js';
import { spellingVariants } from './spelling-variants.js';

/** A chunk that one of the legs found. */
export interface Found {
  chunkId: string;
  documentId: string;
  score: number;
  /** Words of the question that it holds. */
  matched?: string[];
}

/** Postings that are read of the rarest terms; what is in none of them has little of what was asked. */
const POSTINGS = 8000;
/** A filter that leaves fewer chunks is followed chunk by chunk, without bounds. */
const FEW_CHUNKS = 5000;

/** Where a filter leaves less than this share, it comes before the best are chosen. */
const MOST_ARE_LEFT = 0.5;
/** Where a filter leaves fewer, so many times more postings are read, at most. */
const MORE_POSTINGS = 4;

interface Total {
  chunks: number;
  /** Of all chunks together. */
  length: number;
}

interface Row {
  chunk_id: string;
  document_id: string;
  score: number;
  terms: number[];
}

/** Finds chunks by the words of a question: any of them will do, the rare ones count most. */
@Injectable()
export class KeywordLeg {
  /** @param postings bound on the postings that are read; tests and benchmarks lift it */
  constructor(private readonly source: DataSource) {}

  async find(question: Question, scope: Scope, limit: number, postings = POSTINGS): Promise<Found[]> {
    const [total] = await rowsOf<Total>(this.source, 'SELECT chunks, length FROM search_total');
    if (!total || total.chunks === 0 || scope.documentIds?.length === 0) return [];
    const terms = await this.#known(question.terms);
    if (terms.length === 0) return [];
    const rows = await this.#ask(queryOf(terms, { total, scope, limit, postings }));
    const words = new Map(terms.map(({ id, word }) => [id, word]));
    return rows.map((row) => ({
      chunkId: row.chunk_id,
      documentId: row.document_id,
      score: row.score,
      matched: [...new Set(row.terms.flatMap((id) => words.get(id) ?? []))],
    }));
  }

  async #ask(query: KeywordQuery): Promise<Row[]> {
    const { sql, parameters } = keywordStatement(query);
    const rows = await rowsOf<Row>(this.source, sql, parameters);
    const isCut = query.rare.reduce((sum, { df }) => sum + df, 0) > CANDIDATES;
    // The filter may have taken most of the best, and left what stands below them.
    const isShort = query.filtering === 'after' && rows.length < query.limit && isCut;
    return isShort ? this.#ask({ ...query, filtering: 'inside' }) : rows;
  }

  /** Terms that the index knows; for a word that it does not, those spelled most alike. */
  async #known(asked: AskedTerm[]): Promise<KnownTerm[]> {
    const known = await this.#lookUp(asked);
    const terms = new Set(known.map(({ term }) => term));
    const words = new Set(known.map(({ word }) => word));
    const unknown = asked.filter(({ term, weight }) => weight === 1 && !terms.has(term));
    const variants = await Promise.all(
      unknown.map((term) => spellingVariants(this.source, term, { hasKnownParts: words.has(term.word) })),
    );
    return [...known, ...variants.flat().filter(({ term }) => !terms.has(term))];
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
}

interface Asked {
  total: Total;
  scope: Scope;
  limit: number;
  postings: number;
}

function queryOf(terms: KnownTerm[], { total, scope, limit, postings }: Asked): KeywordQuery {
  const left = scope.chunks ?? total.chunks;
  const isFew = scope.documentIds !== null && left <= FEW_CHUNKS;
  const more = Math.min(MORE_POSTINGS, total.chunks / Math.max(1, left));
  return {
    ...(isFew ? { rare: terms, common: [] } : byRarity(terms, postings * Math.max(1, more))),
    weightOf: ({ weight, df }) => weight * inverseFrequency(df, total.chunks),
    averageLength: Math.max(1, total.length / total.chunks),
    limit,
    scope,
    filtering: isFew ? 'first' : left < total.chunks * MOST_ARE_LEFT ? 'inside' : 'after',
  };
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
