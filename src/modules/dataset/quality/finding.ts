export const checkNames = [
  'length',
  'encoding',
  'language',
  'exact_duplicate',
  'near_duplicate',
  'registered_duplicate',
  'toxicity',
  'personal_data',
  'boilerplate',
  'empty_answer',
  'leakage',
  'relevance',
] as const;
export type CheckName = (typeof checkNames)[number];

/** What one check says of one row. */
export interface Finding {
  check: CheckName;
  /** 0 bad to 1 good. */
  score: number;
  verdict: 'ok' | 'warn' | 'reject';
  /** In plain English; never a value that was found. */
  reason: string;
  detail?: Readonly<Record<string, number | string | string[]>>;
}

/** A number between 0 and 1 with at most three decimals. */
export const share = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * 1000) / 1000;
