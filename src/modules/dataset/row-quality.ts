import type { Caller } from '../security/principal.port.js';
import type { Finding } from './quality/finding.js';
import { originalQuality } from './quality/original-quality.js';
import { textOfRow, type RowOrigin, type TrainingRow } from './training-row.js';
import type { Split } from './version-row.js';

export interface RowAssessment {
  /** By the original's formula, 0.1 to 1: what clients know as quality_score and compare min_quality_score with. */
  score: number;
  /** Weighted mean of all checks, 0 to 1; null where none were made. */
  checkScore: number | null;
  findings: Finding[];
  /** False: the row does not go into the version, whatever its score. */
  keep: boolean;
  /** Ordinal of a kept row with nearly the same text: both belong on one side of the split. */
  near: number | null;
}

/** What is known besides the row itself. */
export interface RowContext {
  origin: RowOrigin;
  datasetId: string;
  version: number;
  /** Place among the rows that were looked at, from 0. */
  ordinal: number;
}

/** What is known once all rows are there. */
export interface WholeVersion {
  datasetId: string;
  /** Other datasets are compared as far as this one may read them. */
  caller: Caller;
  splitOf: (ordinal: number) => Split;
  signal: AbortSignal;
}

export interface LateFindings {
  /** By ordinal, of the rows that something was found of. A row with a verdict `reject` is left out. */
  findings: Map<number, Finding[]>;
  warnings: string[];
}

/** Judges the rows of a version while it is built, one after the other. */
export abstract class RowQuality {
  abstract assess(row: TrainingRow, context: RowContext): RowAssessment | Promise<RowAssessment>;

  /** The judge of one build; whoever remembers no rows judges all of them. */
  begin(): RowQuality {
    return this;
  }

  /** The row that was assessed last goes into the version under this ordinal. */
  kept(_ordinal: number): void {
    // Nothing to remember.
  }

  /** What rows say of each other and of other datasets. */
  settle(_whole: WholeVersion): Promise<LateFindings> {
    return Promise.resolve({ findings: new Map(), warnings: [] });
  }

  /** Leaves in the version's folder what later versions are compared with. */
  save(_folder: string): Promise<void> {
    return Promise.resolve();
  }
}

/** What no search has found counts as wholly relevant: whoever chose it meant it. */
export const originalScore = (row: TrainingRow, { metadata, relevance }: RowOrigin): number =>
  originalQuality(textOfRow(row), metadata, relevance ?? 1);

/** The original's formula and nothing else. */
export class OriginalQuality extends RowQuality {
  assess(row: TrainingRow, { origin }: RowContext): RowAssessment {
    return { score: originalScore(row, origin), checkScore: null, findings: [], keep: true, near: null };
  }
}
