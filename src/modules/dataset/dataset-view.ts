import { isAbsolute, join, relative } from 'node:path';
import type { DatasetRecord, VersionOptions, VersionRecord, VersionSource, VersionSummary } from './dataset-record.js';
import type { DatasetDto, DatasetReplyDto, VersionDto } from './dataset-replies.dto.js';
import { exportFormats } from './formats/export-row.js';

/** The folders by which paths are shown. */
export interface Places {
  root: string;
  data: string;
}

/** As dataset_path of a job takes it: from the application's folder, where it lies in there. */
export function shownPath(path: string, { root, data }: Places): string {
  const whole = join(data, path);
  const way = relative(root, whole);
  return way.startsWith('..') || isAbsolute(way) ? whole : way;
}

function exportPaths({ exports }: VersionSummary, places: Places): Record<string, string> {
  return Object.fromEntries(
    exportFormats.flatMap((format) => (exports[format] ? [[format, shownPath(exports[format].path, places)]] : [])),
  );
}

function metadataOf({ statistics, error }: VersionSummary): Record<string, unknown> {
  return { ...(statistics ? { statistics } : {}), ...(error === null ? {} : { error }) };
}

const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

/** No path of the machine: a file is shown by the name its sender gave it. */
export function shownSource(source: VersionSource): Record<string, unknown> {
  switch (source.kind) {
    case 'search':
      return {
        kind: 'search',
        query_text: source.queryText,
        top_k: source.topK,
        search_types: source.signals,
        filters: source.filters,
        weights: source.weights,
      };
    case 'documents':
      return { kind: 'documents', document_ids: source.documentIds, filters: source.filters };
    case 'file':
      return { kind: source.own ? 'upload' : 'file', name: source.name };
  }
}

function shownOptions({ rowForm, writing, minQuality, exportFormats: formats, split }: VersionOptions) {
  const { model, perPassage, prompt, promptHash } = writing ?? {};
  const byModel = { by: 'model', model, per_passage: perPassage, prompt, prompt_sha256: promptHash };
  return {
    row_form: rowForm,
    ...(rowForm === 'questions' ? { questions: writing ? byModel : { by: 'template' } } : {}),
    min_quality_score: minQuality,
    export_formats: formats,
    split,
  };
}

export function versionView(version: VersionRecord, places: Places): VersionDto {
  return {
    version: version.number,
    status: version.state,
    created_at: version.created_at.toISOString(),
    created_by: version.created_by,
    started_at: iso(version.started_at),
    completed_at: iso(version.completed_at),
    query_text: version.query_text,
    source: shownSource(version.source),
    options: shownOptions(version.options),
    document_count: version.rows,
    total_tokens: version.total_tokens,
    quality_score_avg: version.quality_average,
    content_hash: version.content_hash,
    export_paths: exportPaths(version, places),
    progress: version.progress ? { ...version.progress } : null,
    metadata: metadataOf(version),
  };
}

/** A dataset as the API shows it; pure. */
export function datasetView(dataset: DatasetRecord, version: VersionSummary, places: Places): DatasetDto {
  return {
    dataset_id: dataset.dataset_id,
    name: dataset.name,
    description: dataset.description,
    status: dataset.status,
    created_at: dataset.created_at.toISOString(),
    updated_at: dataset.updated_at.toISOString(),
    created_by: dataset.owner,
    query_text: version.query_text,
    document_count: version.rows,
    total_tokens: version.total_tokens,
    quality_score_avg: version.quality_average,
    export_paths: exportPaths(version, places),
    metadata: metadataOf(version),
    version: version.number,
    latest_completed: dataset.latest_completed,
    content_hash: version.content_hash,
    readers: dataset.readers,
    progress: version.progress ? { ...version.progress } : null,
  };
}

export const datasetReply = (data: DatasetDto, message: string): DatasetReplyDto => ({
  success: true,
  dataset_id: data.dataset_id,
  status: data.status,
  message,
  data,
});
