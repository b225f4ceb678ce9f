import { textOfRow } from '../training-row.js';
import type { VersionRow } from '../version-row.js';
import type { Fields } from './row-problem.js';
import { trainingFormats, writeNative, writeRow, type TrainingFormat } from './write-row.js';

/** Files of the original's rows, files in a training format, and a folder that LLaMA-Factory trains from. */
export const originalFormats = ['jsonl', 'json', 'csv', 'parquet'] as const;
export type OriginalFormat = (typeof originalFormats)[number];
export const exportFormats = [...originalFormats, ...trainingFormats, 'llamafactory'] as const;
export type ExportFormat = (typeof exportFormats)[number];
export type WithMetadata = 'with metadata' | 'without metadata';

/** The original named the store that a row came out of. */
const SOURCES: Readonly<Record<string, string>> = { search: 'uds3_search' };

export const sourceName = (source: string): string => SOURCES[source] ?? source;

/** {text, metadata, source, quality_score, document_id, relevance_score}; a conversation has its messages for the text. */
function originalRow(row: VersionRow, metadata: WithMetadata): Fields {
  const content = writeNative(row.row);
  if (metadata === 'without metadata') return content;
  const { origin } = row;
  return {
    ...content,
    metadata: {
      ...origin.metadata,
      split: row.split,
      ...(origin.chunkId ? { chunk_id: origin.chunkId } : {}),
      ...(origin.madeBy ? { made_by: origin.madeBy } : {}),
    },
    source: sourceName(origin.source),
    quality_score: row.quality,
    document_id: origin.documentId,
    relevance_score: origin.relevance,
  };
}

const csvRow = (row: VersionRow): Fields => ({
  document_id: row.origin.documentId,
  text: textOfRow(row.row),
  source: sourceName(row.origin.source),
  quality_score: row.quality,
  relevance_score: row.origin.relevance,
});

/** @throws RowProblem where the format cannot hold the row */
export function exportRow(row: VersionRow, format: OriginalFormat | TrainingFormat, metadata: WithMetadata): Fields[] {
  switch (format) {
    case 'jsonl':
    case 'json':
    case 'parquet':
      return [originalRow(row, metadata)];
    case 'csv': {
      const whole = csvRow(row);
      return [metadata === 'with metadata' ? whole : { text: whole['text'] }];
    }
    case 'messages':
    case 'sharegpt':
    case 'alpaca':
    case 'preference':
    case 'openai-preference':
    case 'kto':
    case 'text':
      return writeRow(row.row, format);
  }
}

const FILES: Readonly<Record<ExportFormat, { extension: string; contentType: string }>> = {
  jsonl: { extension: 'jsonl', contentType: 'application/jsonl' },
  json: { extension: 'json', contentType: 'application/json' },
  csv: { extension: 'csv', contentType: 'text/csv; charset=utf-8' },
  parquet: { extension: 'parquet', contentType: 'application/vnd.apache.parquet' },
  messages: { extension: 'messages.jsonl', contentType: 'application/jsonl' },
  sharegpt: { extension: 'sharegpt.jsonl', contentType: 'application/jsonl' },
  alpaca: { extension: 'alpaca.jsonl', contentType: 'application/jsonl' },
  preference: { extension: 'preference.jsonl', contentType: 'application/jsonl' },
  'openai-preference': { extension: 'openai-preference.jsonl', contentType: 'application/jsonl' },
  kto: { extension: 'kto.jsonl', contentType: 'application/jsonl' },
  text: { extension: 'text.jsonl', contentType: 'application/jsonl' },
  llamafactory: { extension: 'llamafactory.zip', contentType: 'application/zip' },
};

export const fileOf = (format: ExportFormat): { extension: string; contentType: string } => FILES[format];

export const fileTypes = [
  ...new Set(Object.values(FILES).map(({ contentType }) => contentType.split(';', 1)[0] ?? '')),
];
