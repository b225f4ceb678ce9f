import { mkdir, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { DocumentReader } from '../../documents/document-reader.port.js';
import type { DocumentSearch } from '../../search/document-search.port.js';
import type { BuiltVersion, BuildQueueStore, Claim, IndexedRow } from '../build-queue.store.js';
import type { BuildProgress, StoredFile, VersionStatistics } from '../dataset-record.js';
import { ExportRefused, safeName, writeExport } from '../exporting/export-file.js';
import { fileOf, type ExportFormat } from '../formats/export-row.js';
import type { RowQuality } from '../row-quality.js';
import { PassageWriting } from '../questions/passage-writing.js';
import type { QuestionWriter } from '../questions/question-writer.port.js';
import { BuildFailure, SourceNotes } from '../sources/candidate.js';
import { candidatesOf } from '../sources/candidates-of.js';
import type { Writing } from '../sources/writing.js';
import { restored } from '../../security/principal.port.js';
import { narrowed } from '../readers.js';
import type { TrainingRow } from '../training-row.js';
import type { VersionRow } from '../version-row.js';
import { CollectedRows } from './collected-rows.js';
import { filesOf, VersionFileWriter, type RowPlace } from './version-files.js';
import { storedFile, VersionFolder } from './version-folder.js';
import { ReportBuilder } from './version-report.js';

const ROWS_AT_ONCE = 1000;

export interface BuildTools {
  search: DocumentSearch;
  documents: DocumentReader;
  quality: RowQuality;
  queue: BuildQueueStore;
  dataFolder: string;
  maxRows: number;
  writer: QuestionWriter;
  writing: Pick<Writing, 'atOnce' | 'grounding'>;
}

const indexed = (row: VersionRow, place: RowPlace): IndexedRow => ({
  ordinal: row.ordinal,
  split: row.split,
  hash: row.hash,
  ...place,
  source: row.origin.source,
  document_id: row.origin.documentId,
  document_version: row.origin.documentVersion,
  chunk_id: row.origin.chunkId,
  relevance: row.origin.relevance,
  quality: row.quality,
  made_by: row.origin.madeBy,
});

function splitWarnings({ options }: Claim, { splits }: Pick<VersionStatistics, 'splits'>, groups: number): string[] {
  const missing = (['validation', 'test'] as const).filter((name) => options.split[name] > 0 && splits[name] === 0);
  if (missing.length === 0) return [];
  const hint = options.split.by === 'document' ? '; split by chunk, or take more documents' : '';
  return [`${missing.join(' and ')} stay empty: the rows are of ${groups} group(s) that must not be torn apart${hint}`];
}

const otherModel = (wanted: string, configured: string | null): string =>
  `its questions are to be written by the model "${wanted}", and ` +
  `${configured === null ? 'none is configured' : `"${configured}" is configured`} now (CLARA_WRITER_MODEL); add a version`;

/** Builds one claimed version, from its source to its files and the index of its rows. */
export class VersionBuild {
  readonly progress: BuildProgress = { stage: 'reading', rows_read: 0, rows_kept: 0 };
  readonly #notes = new SourceNotes();
  readonly #report = new ReportBuilder();
  readonly #folder: VersionFolder;

  constructor(
    private readonly claim: Claim,
    private readonly tools: BuildTools,
    private readonly signal: AbortSignal,
  ) {
    this.#folder = VersionFolder.of(tools.dataFolder, claim.dataset_id, claim.number);
  }

  /** @throws BuildFailure for what its owner is told; AbortError when the signal ends it */
  async run(): Promise<BuiltVersion> {
    const { claim, tools, signal } = this;
    const folder = await this.#folder.prepare(claim.build);
    const judge = tools.quality.begin();
    const rows = await this.#collect(folder, judge);
    this.progress.stage = 'comparing';
    await rows.settle(restored(claim.caller));
    await judge.save(folder);
    this.progress.stage = 'writing';
    const contentHash = await this.#write(rows, folder);
    await rm(join(folder, 'candidates.jsonl'));
    const statistics = this.#statistics(rows);
    const files = await filesOf(folder, this.#folder.path, tools.dataFolder, statistics.splits);
    this.progress.stage = 'exporting';
    const exports: Record<string, StoredFile> = {};
    for (const format of claim.options.exportFormats) exports[format] = await this.#export(format, folder, statistics);
    signal.throwIfAborted();
    const { quality, tokens } = this.#report.averages;
    return {
      readers: claim.options.readers ? narrowed(this.#notes.readers, claim.options.readers) : this.#notes.readers,
      contentHash,
      rows: rows.count,
      tokens,
      quality,
      statistics,
      report: this.#report.report,
      files,
      exports,
    };
  }

  publish(): Promise<void> {
    return this.#folder.publish(this.claim.build);
  }

  discard(): Promise<void> {
    return this.#folder.discard(this.claim.build);
  }

  /** The version is there: what was kept in case that it would be begun again has done its service. */
  forget(): Promise<void> {
    return this.#folder.forgetAnswers();
  }

  async #collect(folder: string, judge: RowQuality): Promise<CollectedRows> {
    const { writing } = this.claim.options;
    if (!writing) return this.#collected(folder, judge, undefined);
    const { writer, writing: how } = this.tools;
    if (writer.model !== writing.model) throw new BuildFailure(otherModel(writing.model, writer.model));
    const kept = await this.#folder.openAnswers();
    try {
      const passages = new PassageWriting(writer, writing, kept);
      return await this.#collected(folder, judge, { ...how, passages, options: writing, progress: this.progress });
    } finally {
      await kept.close();
    }
  }

  #collected(folder: string, judge: RowQuality, writing: Writing | undefined): Promise<CollectedRows> {
    const { claim, tools, signal } = this;
    const { search, documents, maxRows } = tools;
    const sourceTools = {
      search,
      documents,
      signal,
      writing,
      notes: this.#notes,
      caller: restored(claim.caller),
      rowForm: claim.options.rowForm,
    };
    return CollectedRows.collect(candidatesOf(claim.source, sourceTools), folder, {
      quality: judge,
      maxRows,
      source: this.#notes,
      signal,
      progress: this.progress,
      datasetId: claim.dataset_id,
      version: claim.number,
      options: claim.options,
    });
  }

  /** Files, index and report in one pass. */
  async #write(rows: CollectedRows, folder: string): Promise<string> {
    const writer = await VersionFileWriter.create(folder);
    try {
      let batch: IndexedRow[] = [];
      for await (const row of rows.rows()) {
        batch.push(indexed(row, await writer.write(row)));
        this.#report.add(row);
        if (batch.length < ROWS_AT_ONCE) continue;
        await this.tools.queue.addRows(this.claim.build, batch);
        batch = [];
      }
      await this.tools.queue.addRows(this.claim.build, batch);
      await writer.end();
      return writer.contentHash();
    } finally {
      await writer.close();
    }
  }

  #statistics(rows: CollectedRows): VersionStatistics {
    const { documents, warnings, signals } = this.#notes;
    const statistics = this.#report.statistics({
      source_documents: documents.size,
      rows_read: this.progress.rows_read,
      left_out: { ...this.#notes.leftOut, ...rows.leftOut },
      signals,
      warnings,
    });
    return {
      ...statistics,
      warnings: [...warnings, ...rows.warnings, ...splitWarnings(this.claim, statistics, rows.groups)],
    };
  }

  async #export(format: ExportFormat, folder: string, statistics: VersionStatistics): Promise<StoredFile> {
    const { claim, tools, signal } = this;
    const name = `${safeName(claim.name)}.${fileOf(format).extension}`;
    const target = join(folder, 'exports', name);
    await mkdir(join(folder, 'exports'), { recursive: true, mode: 0o700 });
    const head = { dataset_id: claim.dataset_id, name: claim.name, version: claim.number, statistics };
    const kinds = Object.keys(statistics.kinds) as TrainingRow['kind'][];
    const from = { rows: join(folder, 'rows.jsonl'), into: target, name: claim.name, head, kinds };
    try {
      await writeExport({ ...from, format, metadata: 'with metadata', split: null, signal });
    } catch (error) {
      if (error instanceof ExportRefused) throw new BuildFailure(`export as ${format}: ${error.message}`);
      throw error;
    }
    const published = join(this.#folder.path, 'exports', name);
    return { ...(await storedFile(target, tools.dataFolder)), path: relative(tools.dataFolder, published) };
  }
}
