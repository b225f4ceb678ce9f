import type { RowProblem } from './row-problem.js';

/** A value of a file with the place where it stands, or what kept it from being read. */
export type PlacedRow = { place: string; value: unknown } | { place: string; problem: RowProblem };

/** Of one line, row or cell: what is longer is no row of a training set. */
export const LONGEST_ROW_BYTES = 16 * 1024 * 1024;
