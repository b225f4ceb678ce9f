import type { Caller } from '../security/principal.port.js';
import type { JobStatus, TrainingMethod } from './job-state.js';

export type { JobStatus, TrainingMethod } from './job-state.js';

/** A file of the application itself, by its hash: absolute, under the data folder, named *.jsonl (or json, csv, parquet). */
export interface FineTuningFile {
  /** What people call it, e.g. `file-abc`; shown as the job's data set. */
  reference: string;
  path: string;
  sha256: string;
}

/** Values in place of those of the `lora` configuration; what is left out stays as that says. */
export interface FineTuningOverlay {
  /** Passes over the rows. */
  epochs?: number;
  /** Rows of one optimizer step; cut into micro-batches of at most the configuration's batch_size. */
  batchSize?: number;
  learningRate?: number;
  warmupSteps?: number;
  /** Steps between two checkpoints. */
  saveSteps?: number;
  seed?: number;
  /** Of DPO, default 0.1. */
  beta?: number;
  /** Share of the training file that is held back where no validation file is named, 0 to 0.9. */
  validationSplit?: number;
  rank?: number;
  /** The scale of the update is alpha / rank. */
  alpha?: number;
  /** Names of layers, or `all-linear`. */
  targetModules?: 'all-linear' | string[];
}

export interface FineTuningOrder {
  method: TrainingMethod;
  /** `default`, a hub id or a folder; left out: the configuration's, or the one that `startFrom` was made for. */
  baseModel?: string;
  /** Folder of the adapter (PEFT) to train further: its rank, alpha and targets count. */
  startFrom?: string;
  trainingFile: FineTuningFile;
  /** Left out: the overlay's or the configuration's share of the training file is kept back. */
  validationFile?: FineTuningFile;
  overlay?: FineTuningOverlay;
  suffix?: string;
  metadata?: Record<string, string>;
  tags?: string[];
  /** The last checkpoints that stay after the end, as PEFT folders; default 0. */
  keepCheckpoints?: number;
  idempotencyKey?: string;
}

/** What the `lora` configuration says, and what a job really runs with. */
export interface FineTuningParameters {
  epochs: number;
  /** -1: the epochs count. */
  maxSteps: number;
  /** Rows of one optimizer step. */
  batchSize: number;
  learningRate: number;
  warmupSteps: number;
  seed: number;
  beta: number;
}

export interface FineTuningJob {
  jobId: string;
  status: JobStatus;
  /** A running job that was asked to pause or to cancel, and saves. */
  wish: 'pause' | 'cancel' | null;
  method: TrainingMethod;
  parameters: FineTuningParameters;
  /** `default`, a hub id or the real path of a folder. */
  baseModel: string;
  startFrom: string | null;
  suffix: string | null;
  metadata: Record<string, string>;
  tags: string[];
  createdBy: string;
  createdAt: Date;
  startedAt: Date | null;
  completedAt: Date | null;
  secondsLeft: number | null;
  /** Of the present attempt; `train_tokens`, `final_loss`, `reward_margin_after` and more once it is completed. */
  metrics: Record<string, unknown> | null;
  /** The adapter of a completed job. */
  adapterPath: string | null;
  /** Of a failed one: the trainer's code (`invalid_data`, `out_of_memory`, …) and its words. */
  error: { code: string; message: string } | null;
}

export interface FineTuningEvent {
  /** Position among the events of the job: 1, 2, 3 … */
  number: number;
  time: Date;
  /** `created`, `queued`, `running`, `progress`, `metric`, `checkpoint`, `paused`, `resumed`, `completed`, `failed`, … */
  type: string;
  step: number | null;
  data: Record<string, unknown>;
}

export interface FineTuningCheckpoint {
  step: number;
  createdAt: Date;
  /** PEFT folder with its tokenizer and chat template, complete. */
  path: string;
  /** Of the progress and the evaluation at that step, or last before it: `loss`, `token_accuracy`, `eval_loss`, … */
  metrics: Record<string, unknown>;
}

/** Jobs of the training service as another module orders and follows them. */
export abstract class FineTuningJobs {
  /** The `lora` configuration on this machine, for values that are `auto` or a multiple. */
  abstract defaults(): Promise<FineTuningParameters>;
  /**
   * How many parameters a base model has.
   * @param baseModel `default`, a hub id or a folder
   * @returns undefined where it does not lie here, or its folder does not tell
   * @throws AppError `unavailable` while the default model is not made yet
   */
  abstract parametersOf(baseModel: string): Promise<number | undefined>;
  /**
   * Records a job; a repeated idempotency key answers with the first.
   * @throws AppError `invalid` with every problem, by the configuration's paths (`training.learning_rate`,
   *   `model.base_model`, `start_from`, `dataset_path`); `rate_limited` beyond the caller's limit
   */
  abstract create(order: FineTuningOrder, caller: Caller): Promise<FineTuningJob>;
  /** Undefined where there is no job of this id, or it was not ordered here. */
  abstract find(jobId: string): Promise<FineTuningJob | undefined>;
  /** Those of the ids that were ordered here, in no order. */
  abstract findAll(jobIds: readonly string[]): Promise<FineTuningJob[]>;
  /** @throws AppError `not_found`, `forbidden`, `conflict` */
  abstract cancel(jobId: string, caller: Caller): Promise<FineTuningJob>;
  /** A waiting job is paused at once, a running one after its checkpoint. @throws AppError as cancel */
  abstract pause(jobId: string, caller: Caller): Promise<FineTuningJob>;
  /** @throws AppError as cancel */
  abstract resume(jobId: string, caller: Caller): Promise<FineTuningJob>;
  /** Newest first, those before the number `before`. */
  abstract events(jobId: string, page: { limit: number; before?: number }): Promise<FineTuningEvent[]>;
  /** Those that lie on the disk, newest first. */
  abstract checkpoints(jobId: string): Promise<FineTuningCheckpoint[]>;
}
