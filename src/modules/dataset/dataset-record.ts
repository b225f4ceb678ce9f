import type { SearchFilters, Signal } from '../search/document-search.port.js';
import type { ExportFormat } from './formats/export-row.js';
import type { Split } from './version-row.js';

export const datasetStates = ['pending', 'processing', 'completed', 'failed'] as const;
export type DatasetState = (typeof datasetStates)[number];

/** What a version is built from. */
export type VersionSource =
  | {
      kind: 'search';
      queryText: string;
      topK: number;
      filters: SearchFilters;
      signals: Signal[];
      weights: Partial<Record<Signal, number>> | null;
    }
  | { kind: 'documents'; documentIds: string[] | null; filters: SearchFilters | null }
  /** `own`: the file was taken in for this version and goes with it. */
  | { kind: 'file'; path: string; name: string; own: boolean };

/** `text`: a row is a chunk. `questions`: question-answer rows. */
export const rowForms = ['text', 'questions'] as const;
export type RowForm = (typeof rowForms)[number];

export interface SplitConfig {
  /** Shares of the rows; together 1. */
  train: number;
  validation: number;
  test: number;
  seed: number;
  /** What never stands on both sides: a whole document, or a chunk (in laws a provision). Equal rows never do. */
  by: 'document' | 'chunk';
}

export const questionMakers = ['template', 'model'] as const;
export type QuestionMaker = (typeof questionMakers)[number];

/** A model that writes the questions of a version. */
export interface WritingOptions {
  /** As its server calls it. */
  model: string;
  /** Questions of a passage at most. */
  perPassage: number;
  /** What the model is told before each passage. */
  prompt: string;
  /** SHA-256 of the prompt, hexadecimal. */
  promptHash: string;
}

export interface VersionOptions {
  rowForm: RowForm;
  /** Absent: questions are by templates. */
  writing?: WritingOptions;
  /** 0 to 1: rows below are left out. */
  minQuality: number;
  exportFormats: ExportFormat[];
  split: SplitConfig;
  /** Who may read besides the owner, as far as the documents allow it; null: whoever may read the documents. */
  readers: string[] | null;
}

/** A file of a version, by its path under the data folder. */
export interface StoredFile {
  path: string;
  /** Of the file, hexadecimal. */
  sha256: string;
  bytes: number;
}

export interface VersionFiles {
  rows?: StoredFile;
  train?: StoredFile;
  validation?: StoredFile;
  test?: StoredFile;
}

export interface BuildProgress {
  stage: 'reading' | 'comparing' | 'writing' | 'recording' | 'exporting';
  rows_read: number;
  rows_kept: number;
  /** Where a model writes the rows; `reused` of the answers were there from a build before. */
  passages?: { asked: number; answered: number; reused: number };
}

/** As the table names it. */
export interface DatasetRecord {
  dataset_id: string;
  seq: number;
  name: string;
  description: string;
  owner: string;
  readers: string[];
  status: DatasetState;
  latest: number;
  latest_completed: number | null;
  created_at: Date;
  updated_at: Date;
  deleted_at: Date | null;
}

export interface VersionRecord {
  dataset_id: string;
  number: number;
  state: DatasetState;
  source: VersionSource;
  options: VersionOptions;
  query_text: string | null;
  created_by: string;
  created_at: Date;
  started_at: Date | null;
  completed_at: Date | null;
  error: string | null;
  cancel_requested_at: Date | null;
  attempt: number;
  fence: number;
  progress: BuildProgress | null;
  build: string | null;
  content_hash: string | null;
  rows: number;
  total_tokens: number;
  quality_average: number;
  statistics: VersionStatistics | null;
  report: VersionReport | null;
  files: VersionFiles;
  exports: Record<string, StoredFile>;
}

/** What a list shows of a version. */
export const summaryFields = [
  'number',
  'state',
  'query_text',
  'error',
  'progress',
  'content_hash',
  'rows',
  'total_tokens',
  'quality_average',
  'statistics',
  'exports',
] as const satisfies (keyof VersionRecord)[];
export type VersionSummary = Pick<VersionRecord, (typeof summaryFields)[number]>;

export type Counts = Record<string, number>;

/** The original's statistics, and what its clients looked for. */
export interface VersionStatistics {
  total_documents: number;
  avg_quality_score: number;
  /** The same under the name that dashboards read. */
  average_quality_score: number;
  min_quality_score: number;
  max_quality_score: number;
  avg_relevance_score: number | null;
  /** Mean of the rows' check_score; the other qualities are by the original's formula. */
  avg_check_score: number | null;
  /** Words. */
  total_tokens: number;
  total_size_bytes: number;
  domains: Counts;
  document_types: Counts;
  kinds: Counts;
  sources: Counts;
  splits: Record<Split, number>;
  source_documents: number;
  rows_read: number;
  /** Rows that were left out, by reason. */
  left_out: Counts;
  /** What the search said of its signals. */
  signals: Record<string, string>;
  warnings: string[];
}

/** How values are spread: `counts[i]` values lie from `bounds[i]` up to `bounds[i + 1]`. */
export interface Distribution {
  bounds: number[];
  counts: number[];
  mean: number;
}

export interface WorstRow {
  ordinal: number;
  quality: number;
  check_score: number | null;
  /** What the checks said, worst first. */
  reasons: string[];
  document_id: string | null;
  chunk_id: string | null;
  /** The first characters, personal data by its kind only. */
  excerpt: string;
}

/** A row that a check warned of. */
export interface WarnedRow {
  ordinal: number;
  check_score: number | null;
  reasons: string[];
}

/** What /analyze answers; made while the version is built. */
export interface VersionReport {
  /** By the original's formula. */
  quality: Distribution;
  /** Weighted mean of all checks. */
  check_score: Distribution | null;
  characters: Distribution;
  relevance: Distribution | null;
  /** Per check: mean score of the rows of the version, and how many of them it warned of. */
  checks: Record<string, { mean: number; warned: number }>;
  exact_duplicates: number;
  /** All of them counted, the first of them listed. */
  warned: { rows: number; first: WarnedRow[] };
  worst_rows: WorstRow[];
}
