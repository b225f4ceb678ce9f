import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Problem } from '../../kernel/errors.js';
import { rowsOf } from '../../kernel/transaction.js';
import { readerKeysOf } from '../documents/readers.port.js';
import { DocumentSearch, type SearchHit, type SearchOutcome, type Signal } from '../search/document-search.port.js';
import type { Caller } from '../security/principal.port.js';
import { DatasetCount } from './dataset-count.port.js';
import { originalQuality } from './quality/original-quality.js';
import type {
  CorpusStatisticsDto,
  SearchDto,
  SearchHitDto,
  SearchReplyDto,
  SearchStatisticsDto,
} from './search.dto.js';
import { invalid } from './invalid.js';
import { filtersOf, weightsOf } from './search-filters.js';

/** @throws AppError `invalid` */
function valid<T extends object>(read: T | Problem[]): T {
  if (Array.isArray(read)) throw invalid(read);
  return read;
}

const ALL_LEGS: Signal[] = ['keyword', 'vector', 'graph'];

/** The search, as clients of the original ask for it and are answered. */
@Injectable()
export class SearchService {
  constructor(
    private readonly search: DocumentSearch,
    private readonly source: DataSource,
    private readonly datasets: DatasetCount,
  ) {}

  async run(request: SearchDto, caller: Caller, legs?: Signal[]): Promise<SearchReplyDto> {
    const weights = request.weights && valid(weightsOf(request.weights, 'weights'));
    const outcome = await this.search.search(
      {
        queryText: request.query_text,
        topK: request.top_k,
        filters: valid(filtersOf(request.filters ?? {}, 'filters')),
        signals: legs ?? request.search_types ?? ALL_LEGS,
        fusion: request.fusion_method,
        ...(weights ? { weights } : {}),
      },
      caller,
    );
    const results = outcome.hits.map(hitView).filter((hit) => hit.quality_score >= request.min_quality_score);
    return {
      success: true,
      results,
      documents_found: results.length,
      statistics: statisticsOf(results, outcome.tookMs),
      signals: signalsOf(outcome),
      dataset_path: null,
      message: messageOf(results.length, outcome),
    };
  }

  /** Of what the caller may read. */
  async statistics(caller: Caller): Promise<CorpusStatisticsDto> {
    const rows = await rowsOf<{
      kind: string;
      language: string;
      law: string | null;
      documents: number;
      chunks: number;
      characters: number;
    }>(
      this.source,
      `SELECT v.kind, v.language, v.law, count(*)::int AS documents, sum(v.chunks)::int AS chunks, sum(v.characters)::bigint AS characters
        FROM documents_document d JOIN documents_version v USING (document_id, version)
        WHERE $1::text[] IS NULL OR d.readers && $1 GROUP BY v.kind, v.language, v.law`,
      [readerKeysOf(caller)],
    );
    const by = (key: (row: (typeof rows)[number]) => string | null): Record<string, number> =>
      sumBy(rows.map((row) => [key(row), row.documents]));
    const sum = (key: 'documents' | 'chunks' | 'characters'): number => rows.reduce((all, row) => all + row[key], 0);
    return {
      total_documents: sum('documents'),
      total_chunks: sum('chunks'),
      total_characters: sum('characters'),
      document_types: by(({ kind }) => kind),
      languages: by(({ language }) => language),
      laws: by(({ law }) => law),
      datasets_count: await this.datasets.total(),
    };
  }
}

function hitView(hit: SearchHit): SearchHitDto {
  const { title, filename, path, page, provision, language, version } = hit;
  const metadata = { ...hit.metadata, title, filename, path, page, provision, language, version };
  return {
    document_id: hit.documentId,
    chunk_id: hit.chunkId,
    content: hit.content,
    metadata,
    score: hit.score,
    source: hit.source,
    related_docs: hit.relatedDocuments,
    quality_score: originalQuality(hit.content, metadata, hit.score),
    explain: {
      signals: hit.explain.signals,
      matched: hit.explain.matched,
      graph_path: hit.explain.graphPath,
      exact_provision: hit.explain.exactProvision,
    },
  };
}

const mean = (values: number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

function sumBy(entries: [string | null, number][]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const [key, value] of entries) if (key !== null) sums.set(key, (sums.get(key) ?? 0) + value);
  return Object.fromEntries(sums);
}

function statisticsOf(results: SearchHitDto[], tookMs: number): SearchStatisticsDto {
  const count = (key: string): Record<string, number> =>
    sumBy(results.map(({ metadata }) => [typeof metadata[key] === 'string' ? metadata[key] : null, 1]));
  return {
    total_documents: results.length,
    avg_quality_score: mean(results.map(({ quality_score }) => quality_score)),
    avg_relevance_score: mean(results.map(({ score }) => score)),
    total_tokens: results.reduce((sum, { content }) => sum + content.split(/\s+/).filter(Boolean).length, 0),
    domains: count('domain'),
    document_types: count('document_type'),
    took_ms: tookMs,
  };
}

const signalsOf = ({ signals }: SearchOutcome): Record<string, string> =>
  Object.fromEntries(
    Object.entries(signals).map(([name, signal]) => [
      name,
      signal.state === 'ok' ? 'ok' : `unavailable: ${signal.reason}`,
    ]),
  );

function messageOf(found: number, { signals }: SearchOutcome): string {
  const down = Object.entries(signals).filter(([, { state }]) => state === 'unavailable');
  const said = found === 0 ? 'Nothing was found' : `${found} results`;
  return down.length === 0 ? said : `${said}; without ${down.map(([name]) => name).join(' and ')}, see signals`;
}
