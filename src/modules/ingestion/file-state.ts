export const fileStatuses = [
  'pending',
  'processing',
  'indexing',
  'completed',
  'failed',
  'blocked',
  'cancelled',
  'unpacked',
] as const;
export type FileStatus = (typeof fileStatuses)[number];

export const ingestionStatuses = ['pending', 'processing', 'completed', 'failed', 'recovered', 'cancelled'] as const;
export type IngestionStatus = (typeof ingestionStatuses)[number];

export type FileCounts = Readonly<Record<FileStatus, number>>;

export interface JobState {
  status: IngestionStatus;
  /** Files of the job, without archives that were unpacked. */
  fileCount: number;
  processed: number;
  failed: number;
  error: string | null;
}

/**
 * What a job is, by its files: under way while one of them is, failed where not one was taken in, and recovered where
 * all were after a second try.
 */
export function jobStateOf(counts: FileCounts, wasRecovered: boolean): JobState {
  const { pending, processing, indexing, completed, failed, blocked, cancelled } = counts;
  const open = pending + processing + indexing;
  const bad = failed + blocked;
  const fileCount = open + completed + bad + cancelled;
  const state = { fileCount, processed: fileCount - open, failed: bad };
  if (open > 0) return { ...state, status: fileCount === pending ? 'pending' : 'processing', error: null };
  if (cancelled > 0 && completed + bad < fileCount) return { ...state, status: 'cancelled', error: null };
  if (bad === 0) return { ...state, status: wasRecovered ? 'recovered' : 'completed', error: emptyError(fileCount) };
  const error = `${bad} of ${fileCount} files failed; GET /jobs/{id}/failed-files says why`;
  return { ...state, status: completed === 0 ? 'failed' : 'completed', error };
}

const emptyError = (fileCount: number): string | null => (fileCount === 0 ? 'there was no file to take in' : null);
