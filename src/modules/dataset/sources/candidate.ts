import type { DocumentReader } from '../../documents/document-reader.port.js';
import type { ReaderKey } from '../../documents/replica.port.js';
import type { DocumentSearch } from '../../search/document-search.port.js';
import type { Caller } from '../../security/principal.port.js';
import type { Counts, RowForm } from '../dataset-record.js';
import { EVERYBODY } from '../../documents/readers.port.js';
import { narrowed } from '../readers.js';
import type { RowOrigin, TrainingRow } from '../training-row.js';
import type { Writing } from './writing.js';

/** A row that may go into a version. */
export interface Candidate {
  row: TrainingRow;
  origin: RowOrigin;
  /** Names of what must stay on one side of the split; null: the row stands for itself. */
  document: string | null;
  part: string | null;
}

/** The version cannot be built, for a reason that its owner is told. */
export class BuildFailure extends Error {}

/** What the sources find out on their way. */
export class SourceNotes {
  /** Who may read all the documents that rows came from. */
  readers: ReaderKey[] = [EVERYBODY];
  readonly documents = new Set<string>();
  readonly warnings: string[] = [];
  /** By signal: `ok`, or why it did not answer. */
  signals: Record<string, string> = {};
  /** What gave no row, by reason. */
  readonly leftOut: Counts = {};

  used(documentId: string, readers: readonly ReaderKey[]): void {
    if (this.documents.has(documentId)) return;
    this.documents.add(documentId);
    this.readers = narrowed(this.readers, readers);
  }

  /** Counts it; there is no row of it. */
  leaveOut(reason: string): [] {
    this.leftOut[reason] = (this.leftOut[reason] ?? 0) + 1;
    return [];
  }
}

export interface SourceTools {
  search: DocumentSearch;
  documents: DocumentReader;
  caller: Caller;
  rowForm: RowForm;
  /** A model that writes the questions; undefined: templates do. */
  writing: Writing | undefined;
  notes: SourceNotes;
  signal: AbortSignal;
}
