import type { RowOrigin, TrainingRow } from './training-row.js';
import { textOfRow } from './training-row.js';

/** What one check found in a row. */
export interface RowFinding {
  check: string;
  /** 0 to 1. */
  score: number;
  verdict: 'ok' | 'warn' | 'fail';
  /** Names no value that must not be shown, such as personal data. */
  reason: string;
}

export interface RowAssessment {
  /** 0 to 1. */
  score: number;
  findings: RowFinding[];
  /** False: the row does not go into the version, whatever its score. */
  keep: boolean;
}

/** What is known besides the row itself. */
export interface RowContext {
  origin: RowOrigin;
  datasetId: string;
  version: number;
  /** Place among the rows that were looked at, from 0. */
  ordinal: number;
}

/** Judges the rows of a version while it is built, one after the other. */
export abstract class RowQuality {
  abstract assess(row: TrainingRow, context: RowContext): RowAssessment | Promise<RowAssessment>;
}

const lengths = [
  { longerThan: 1000, score: 0.4 },
  { longerThan: 500, score: 0.3 },
  { longerThan: 200, score: 0.2 },
];
const LEAST = 0.1;
const DESCRIBED_BY = ['title', 'domain', 'document_type'];
const SHARE = 0.3;

const rounded = (value: number): number => Math.round(value * 10_000) / 10_000;

/**
 * The original's formula: .1 to .4 by length, .3 by the share of title, domain and document_type that are known, .3 by
 * relevance. What no search has found counts as wholly relevant: whoever chose it meant it.
 */
export function originalScore(row: TrainingRow, origin: RowOrigin): RowAssessment {
  const { length } = textOfRow(row);
  const byLength = lengths.find(({ longerThan }) => length > longerThan)?.score ?? LEAST;
  const missing = DESCRIBED_BY.filter((name) => !origin.metadata[name]);
  const known = DESCRIBED_BY.length - missing.length;
  const relevance = origin.relevance ?? 1;
  const findings: RowFinding[] = [
    {
      check: 'length',
      score: rounded(byLength / 0.4),
      verdict: byLength > LEAST ? 'ok' : 'warn',
      reason: `${length} characters`,
    },
    {
      check: 'metadata',
      score: rounded(known / DESCRIBED_BY.length),
      verdict: missing.length === 0 ? 'ok' : 'warn',
      reason: missing.length === 0 ? 'title, domain and document_type are known' : `${missing.join(', ')} not known`,
    },
    {
      check: 'relevance',
      score: rounded(relevance),
      verdict: 'ok',
      reason: origin.relevance === null ? 'chosen without a search' : `the search gave ${relevance.toFixed(3)}`,
    },
  ];
  const score = rounded(byLength + (SHARE * known) / DESCRIBED_BY.length + SHARE * relevance);
  return { score, findings, keep: true };
}

export class OriginalQuality extends RowQuality {
  assess(row: TrainingRow, { origin }: RowContext): RowAssessment {
    return originalScore(row, origin);
  }
}
