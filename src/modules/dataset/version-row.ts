import type { Finding } from './quality/finding.js';
import type { RowOrigin, TrainingRow } from './training-row.js';

export const splits = ['train', 'validation', 'test'] as const;
export type Split = (typeof splits)[number];

/** A row of a version: a line of its rows.jsonl. */
export interface VersionRow {
  /** From 0, in the order in which the source gave them. */
  ordinal: number;
  split: Split;
  /** SHA-256 of the canonical row, hexadecimal. */
  hash: string;
  row: TrainingRow;
  origin: RowOrigin;
  /** By the original's formula, 0.1 to 1: the quality_score of every reply and export. */
  quality: number;
  /** Weighted mean of all checks, 0 to 1; null where none were made. */
  check_score: number | null;
  findings: Finding[];
  /** Words, as the original counts tokens. */
  tokens: number;
}
