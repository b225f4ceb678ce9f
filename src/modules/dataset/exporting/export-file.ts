import { datasetInfo, llamaFactoryRow } from '../formats/dataset-info.js';
import { exportRow, type ExportFormat, type WithMetadata } from '../formats/export-row.js';
import { jsonlRows } from '../formats/jsonl-rows.js';
import { RowProblem, type Fields } from '../formats/row-problem.js';
import { openSink } from '../formats/row-sink.js';
import type { TrainingRow } from '../training-row.js';
import { splits, type Split, type VersionRow } from '../version-row.js';
import { ZipFile } from './zip-file.js';

export interface ExportRequest {
  /** rows.jsonl of the version. */
  rows: string;
  /** A file that is not there yet. */
  into: string;
  name: string;
  format: ExportFormat;
  metadata: WithMetadata;
  /** null: all. */
  split: Split | null;
  /** What stands before the rows of a JSON file. */
  head: Fields;
  /** Kinds of rows that the version has. */
  kinds: readonly TrainingRow['kind'][];
  signal: AbortSignal;
}

/** The format cannot hold the rows; says which and why. */
export class ExportRefused extends Error {}

const CONTENT: Readonly<Record<TrainingRow['kind'], string[]>> = {
  messages: ['messages'],
  preference: ['prompt', 'chosen', 'rejected'],
  kto: ['messages', 'kto_tag'],
  text: ['text'],
};
const ABOUT = ['metadata', 'source', 'quality_score', 'document_id', 'relevance_score'];

const columnsOf = (kinds: readonly TrainingRow['kind'][], metadata: WithMetadata): string[] => [
  ...new Set(kinds.flatMap((kind) => CONTENT[kind])),
  ...(metadata === 'with metadata' ? ABOUT : []),
];

/** The rows of a version, of one split or of all. */
export async function* versionRows(path: string, split: Split | null, signal: AbortSignal): AsyncGenerator<VersionRow> {
  for await (const placed of jsonlRows(path, signal)) {
    if (!('value' in placed)) throw placed.problem;
    const row = placed.value as VersionRow;
    if (split === null || row.split === split) yield row;
  }
}

const refusal = (row: VersionRow, problem: RowProblem): ExportRefused =>
  new ExportRefused(`row ${row.ordinal} ${problem.message}`);

async function writeRows(request: ExportRequest, format: Exclude<ExportFormat, 'llamafactory'>): Promise<void> {
  const kind = format === 'json' || format === 'csv' || format === 'parquet' ? format : 'jsonl';
  const head = { json: request.head, columns: columnsOf(request.kinds, request.metadata) };
  const sink = await openSink(request.into, kind, head);
  try {
    for await (const row of versionRows(request.rows, request.split, request.signal))
      for (const written of rowsOf(row, () => exportRow(row, format, request.metadata))) await sink.write(written);
    await sink.end();
  } finally {
    await sink.close();
  }
}

function rowsOf<T>(row: VersionRow, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw error instanceof RowProblem ? refusal(row, error) : error;
  }
}

async function* linesOf(request: ExportRequest, kind: TrainingRow['kind'], split: Split): AsyncGenerator<string> {
  for await (const row of versionRows(request.rows, split, request.signal))
    if (row.row.kind === kind) yield `${JSON.stringify(rowsOf(row, () => llamaFactoryRow(row.row)))}\n`;
}

/** A folder for LLaMA-Factory's `dataset_dir`: a file a kind and split, and the dataset_info.json that names them. */
async function writeFolder(request: ExportRequest): Promise<void> {
  const wanted = splits.filter((split) => request.split === null || request.split === split);
  const present = new Map<string, { file: string; kind: TrainingRow['kind']; split: Split }>();
  for await (const { row, split } of versionRows(request.rows, request.split, request.signal))
    present.set(`${row.kind} ${split}`, { file: `${row.kind}-${split}.jsonl`, kind: row.kind, split });
  const files = [...present.values()].toSorted((a, b) => wanted.indexOf(a.split) - wanted.indexOf(b.split));
  const zip = await ZipFile.create(request.into);
  try {
    await zip.add('dataset_info.json', [datasetInfo(request.name, files)]);
    for (const { file, kind, split } of files) await zip.add(file, linesOf(request, kind, split));
    await zip.end();
  } finally {
    await zip.close();
  }
}

/** Writes a durable file of the version's rows in a format. @throws ExportRefused */
export async function writeExport(request: ExportRequest): Promise<void> {
  if (request.format === 'llamafactory') await writeFolder(request);
  else await writeRows(request, request.format);
}

/** A name for files: letters, digits, space and _ of the set's name, which has no others. */
export const safeName = (name: string): string => name.trim().replace(/[^\p{L}\p{N}]+/gu, '_');
