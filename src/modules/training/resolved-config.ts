import type { RunFile } from './run-contract.generated.js';

/** What a job was ordered with beside its configuration. */
export interface JobOrder {
  suffix: string | null;
  metadata: Record<string, string>;
  /** The last checkpoints that stay after the end. */
  keep_checkpoints: number;
}

/** What a job will run with: the run file but for what only the start of an attempt knows. */
export interface ResolvedConfig {
  run: Pick<RunFile, 'method' | 'model' | 'adapter' | 'quantization' | 'data' | 'training' | 'hardware'>;
  /** Of the run, as the file gives it. */
  name: string | null;
  /** Which adapter a continuous job trains further: `auto`, or the id of a completed job. */
  continuous?: { adapter: string };
  /** The dataset that `dataset_path` named, as it was then. */
  dataset?: { reference: string; content_hash: string; sha256: string };
  /** What came with an order of the fine-tuning API. */
  order?: JobOrder;
  /** Where a resolved value differs from what was asked, in words. */
  warnings: string[];
}

/** The name in a configuration that stands for CLARA_BASE_MODEL, or for the model made on the spot. */
export const DEFAULT_MODEL = 'default';
