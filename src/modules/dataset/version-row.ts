import type { RowFinding } from './row-quality.js';
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
  /** 0 to 1. */
  quality: number;
  findings: RowFinding[];
  /** Words, as the original counts tokens. */
  tokens: number;
}
