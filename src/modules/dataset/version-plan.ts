import { invalid } from './invalid.js';
import type { SplitConfig, VersionOptions, VersionSource } from './dataset-record.js';
import { rowFormOf, writingOf } from './questions/writing-options.js';
import type { CreateVersionDto, DocumentsDto, SearchQueryDto, SplitDto } from './create-dataset.dto.js';
import { filtersOf, weightsOf } from './search-filters.js';
import type { IncomingFile } from './upload/incoming-files.js';

export interface VersionPlan {
  source: VersionSource;
  options: VersionOptions;
  queryText: string | null;
}

const SPLIT: SplitConfig = { train: 0.8, validation: 0.1, test: 0.1, seed: 42, by: 'document' };
const SOURCES = ['search_query', 'documents', 'upload', 'rows', 'file'] as const;

function filters(given: Record<string, unknown> | undefined, path: string) {
  const read = filtersOf(given ?? {}, path);
  if (Array.isArray(read)) throw invalid(read);
  return read;
}

export function searchSource(query: SearchQueryDto): Extract<VersionSource, { kind: 'search' }> {
  const weights = query.weights ? weightsOf(query.weights, 'search_query.weights') : null;
  if (Array.isArray(weights)) throw invalid(weights);
  return {
    kind: 'search',
    queryText: query.query_text,
    topK: query.top_k ?? 100,
    filters: filters(query.filters, 'search_query.filters'),
    signals: query.search_types ?? ['keyword', 'vector', 'graph'],
    weights,
  };
}

function documentsSource({ document_ids: ids, filters: given }: DocumentsDto): VersionSource {
  if ((ids === undefined) === (given === undefined))
    throw invalid([{ path: 'documents', message: 'must have either document_ids or filters' }]);
  return {
    kind: 'documents',
    documentIds: ids ?? null,
    filters: given === undefined ? null : filters(given, 'documents.filters'),
  };
}

function sourceOf(request: CreateVersionDto, file: IncomingFile | undefined): VersionSource {
  if (file) return { kind: 'file', path: file.path, name: file.name, own: file.own };
  if (request.search_query) return searchSource(request.search_query);
  return documentsSource(request.documents ?? {});
}

/** The sources that a request names. @throws AppError `invalid` where it is not exactly one */
export function checkOneSource(request: CreateVersionDto, upload: 'with a file' | 'without a file'): void {
  const named = SOURCES.filter((name) => (name === 'file' ? upload === 'with a file' : request[name] !== undefined));
  if (named.length === 1) return;
  const message =
    named.length === 0
      ? `is missing; name one source: ${SOURCES.join(', ')} (a file in a form)`
      : `excludes ${named.slice(1).join(', ')}; name one source`;
  throw invalid([{ path: named[0] ?? 'search_query', message }]);
}

/** What is not said of the parts is in train. */
export function splitOf(given: SplitDto | undefined): SplitConfig {
  if (!given) return SPLIT;
  const { train, validation, test, seed = SPLIT.seed, by = SPLIT.by } = given;
  const saysParts = train !== undefined || validation !== undefined || test !== undefined;
  if (!saysParts) return { ...SPLIT, seed, by };
  const held = { validation: validation ?? 0, test: test ?? 0 };
  const rest = train ?? 1 - held.validation - held.test;
  const sum = rest + held.validation + held.test;
  if (Math.abs(sum - 1) > 0.001 || rest <= 0)
    throw invalid([
      { path: 'split', message: `train, validation and test are ${sum.toFixed(3)} together; they must be 1` },
    ]);
  return { train: rest, ...held, seed, by };
}

/**
 * @param file of the sources upload, rows and file
 * @param model that writes questions where it is asked to; null: none is configured
 * @throws AppError `invalid`
 */
export function planVersion(
  request: CreateVersionDto,
  file: IncomingFile | undefined,
  model: string | null,
): VersionPlan {
  const source = sourceOf(request, file);
  const writing = writingOf(request, { model, source: source.kind });
  const least = request.search_query ? (request.search_query.min_quality_score ?? 0.5) : undefined;
  return {
    source,
    queryText: source.kind === 'search' ? source.queryText : null,
    options: {
      rowForm: rowFormOf(request),
      ...(writing ? { writing } : {}),
      minQuality: least ?? request.min_quality_score ?? 0,
      exportFormats: request.export_formats ?? ['jsonl'],
      split: splitOf(request.split),
      readers: request.readers ?? null,
    },
  };
}
