// Generated from trainer/src/clara_trainer/contract by `npm run generate`; do not edit.
/**
 * run.json: everything a training needs, resolved. Written by the application, read by the trainer.
 */
export interface RunFile {
  version: 1;
  job_id: string;
  attempt: number;
  /**
   * Grows with each claim of the job; an older one is refused at the start.
   */
  fence: number;
  trainer_type: 'lora' | 'qlora' | 'continuous';
  /**
   * dpo: which of two answers is preferred (Rafailov et al. 2023, arXiv 2305.18290).
   */
  method: 'supervised' | 'dpo';
  model: Model;
  adapter: Adapter;
  quantization: Quantization | null;
  data: Data;
  training: Training;
  hardware: Hardware;
  /**
   * Absolute folder of a checkpoint.
   */
  resume_from: string | null;
  /**
   * Save and end when the job's heartbeat file is older; null: never.
   */
  orphan_seconds: number | null;
}
export interface Model {
  /**
   * Hub id or absolute folder.
   */
  path: string;
  revision: string | null;
  dtype: 'auto' | 'bfloat16' | 'float16' | 'float32';
  attention: 'auto' | 'eager' | 'sdpa' | 'flash_attention_2';
  trust_remote_code: boolean;
  allow_pickle: boolean;
}
export interface Adapter {
  r: number;
  alpha: number;
  dropout: number;
  target_modules: 'all-linear' | string[];
  bias: 'none' | 'all' | 'lora_only';
  /**
   * Absolute folder of the adapter to train further; its rank, alpha and targets count. With dpo a frozen copy of it is the reference, else the base without an adapter.
   */
  start_from: string | null;
}
export interface Quantization {
  bits: 4 | 8;
  type: 'nf4' | 'fp4' | 'int8';
  double: boolean;
  compute_dtype: 'auto' | 'bfloat16' | 'float16' | 'float32';
}
export interface Data {
  /**
   * @minItems 1
   */
  train: DataFile[];
  validation: DataFile[];
  /**
   * Share of the rows, when no validation file is named.
   */
  validation_split: number;
  /**
   * Tokens; longer rows are cut.
   */
  max_length: number;
  packing: 'auto' | true | false;
  remove_duplicates: boolean;
  /**
   * Characters; shorter rows are left out.
   */
  min_length: number;
  /**
   * Characters; longer rows are left out; null: no limit.
   */
  max_characters: number | null;
}
export interface DataFile {
  path: string;
  /**
   * null: not checked.
   */
  sha256: string | null;
}
export interface Training {
  epochs: number;
  /**
   * Above 0 it counts instead of epochs.
   */
  max_steps: number;
  /**
   * Rows a process and micro-step.
   */
  batch_size: number;
  eval_batch_size: number;
  gradient_accumulation_steps: number;
  learning_rate: number;
  weight_decay: number;
  warmup_steps: number;
  lr_scheduler:
    'linear' | 'cosine' | 'constant' | 'constant_with_warmup' | 'polynomial' | 'cosine_with_restarts' | 'inverse_sqrt';
  optimizer:
    'adamw_torch' | 'adamw_torch_fused' | 'adamw_8bit' | 'paged_adamw_8bit' | 'paged_adamw_32bit' | 'adafactor' | 'sgd';
  /**
   * 0: no clipping.
   */
  max_grad_norm: number;
  logging_steps: number;
  save_steps: number;
  /**
   * null: only before and after.
   */
  eval_steps: number | null;
  save_total_limit: number | null;
  precision: 'auto' | 'bf16' | 'fp16' | 'fp32';
  seed: number;
  /**
   * Of dpo alone: how much the adapter is held to its reference.
   */
  beta: number;
  gradient_checkpointing: 'auto' | true | false;
  group_by_length: boolean;
  report_to: ('tensorboard' | 'mlflow' | 'wandb')[];
  run_name: string | null;
  early_stopping: EarlyStopping | null;
  wandb?: Wandb | null;
  torch_compile?: boolean;
}
export interface EarlyStopping {
  /**
   * Evaluations without a lower loss.
   */
  patience: number;
}
export interface Wandb {
  project: string | null;
  entity: string | null;
}
export interface Hardware {
  processes: number;
  backend: 'auto' | 'gloo' | 'nccl';
  dataloader_workers: number;
  pin_memory: 'auto' | true | false;
  /**
   * Host numbers of the GPUs given by CUDA_VISIBLE_DEVICES; empty: none.
   */
  gpus: number[];
  /**
   * As accelerate writes it, e.g. 20GiB.
   */
  max_memory_per_gpu: string | number | null;
  max_memory_fraction?: number | null;
  empty_cache_steps?: number | null;
}
/**
 * One line of events.jsonl. Appended by rank 0 of the trainer; n starts at 1 per attempt and grows by 1.
 */
export type WorkerEvent =
  | PhaseEvent
  | StartedEvent
  | ProgressEvent
  | MetricEvent
  | CheckpointEvent
  | StoppedEvent
  | FinishedEvent
  | FailedEvent;
export type Number = number;
export type Time = string;
export type OptionalStep = number | null;
export type Step = number;

export interface PhaseEvent {
  n: Number;
  time: Time;
  type: 'phase';
  step: OptionalStep;
  data: PhaseData;
}
export interface PhaseData {
  phase:
    'importing' | 'loading_model' | 'preparing_data' | 'evaluating_before' | 'training' | 'evaluating_after' | 'saving';
}
export interface StartedEvent {
  n: Number;
  time: Time;
  type: 'started';
  step: OptionalStep;
  data: StartedData;
}
export interface StartedData {
  world_size: number;
  device: string;
  device_name: string;
  precision: 'bf16' | 'fp16' | 'fp32';
  packing: boolean;
  attention: string;
  parameters: number;
  trainable_parameters: number;
  total_steps: number;
  total_epochs: number;
  train_rows: number;
  eval_rows: number;
  resumed_step: number;
  warnings: string[];
  versions: {
    [k: string]: string;
  };
}
export interface ProgressEvent {
  n: Number;
  time: Time;
  type: 'progress';
  step: Step;
  data: ProgressData;
}
export interface ProgressData {
  epoch: number;
  total_epochs: number;
  total_steps: number;
  loss: number | null;
  learning_rate: number;
  grad_norm: number | null;
  tokens_per_second: number | null;
  tokens_seen: number;
  token_accuracy: number | null;
  /**
   * Of dpo: beta times what the adapter prefers the preferred answer more than its reference does (nats).
   */
  reward_margin: number | null;
  /**
   * Of dpo: share of the pairs with a margin above 0.
   */
  reward_accuracy: number | null;
  seconds_left: number | null;
  gpu_memory_bytes: number | null;
}
export interface MetricEvent {
  n: Number;
  time: Time;
  type: 'metric';
  step: OptionalStep;
  data: MetricData;
}
export interface MetricData {
  when: 'before' | 'during' | 'after';
  eval_loss: number | null;
  /**
   * Of dpo: of the preferred answers.
   */
  perplexity: number | null;
  token_accuracy: number | null;
  reward_margin: number | null;
  reward_accuracy: number | null;
}
export interface CheckpointEvent {
  n: Number;
  time: Time;
  type: 'checkpoint';
  step: Step;
  data: CheckpointData;
}
export interface CheckpointData {
  /**
   * Relative to the attempt's folder; complete on disk.
   */
  path: string;
}
export interface StoppedEvent {
  n: Number;
  time: Time;
  type: 'stopped';
  step: OptionalStep;
  data: StoppedData;
}
export interface StoppedData {
  reason: 'cancel' | 'pause' | 'shutdown' | 'time_limit' | 'orphan' | 'signal';
  /**
   * Relative to the attempt's folder; null: nothing was trained yet.
   */
  checkpoint: string | null;
}
export interface FinishedEvent {
  n: Number;
  time: Time;
  type: 'finished';
  step: OptionalStep;
  data: FinishedData;
}
export interface FinishedData {
  /**
   * Relative to the attempt's folder; complete on disk.
   */
  adapter: string;
  report: Report;
}
/**
 * training_report.json in the adapter's folder.
 */
export interface Report {
  loss: LossReport;
  perplexity: Gain;
  token_accuracy: Gain;
  /**
   * Of dpo, on the held-out pairs.
   */
  rewards: Rewards | null;
  tokens_per_second: number | null;
  train_tokens: number;
  seconds: number;
  peak_memory_bytes: PeakMemory;
  steps: number;
  epochs: number;
  versions: {
    [k: string]: string;
  };
  data: DataReport[];
  base_model: string;
  trainer_type: 'lora' | 'qlora' | 'continuous';
  method: 'supervised' | 'dpo';
  /**
   * null: not dpo.
   */
  beta: number | null;
  /**
   * The adapter that was trained further.
   */
  start_from: string | null;
  seed: number;
  precision: 'bf16' | 'fp16' | 'fp32';
  packing: boolean;
  /**
   * e.g. nf4; null: none.
   */
  quantization: string | null;
  warnings: string[];
}
export interface LossReport {
  before: number | null;
  after: number | null;
  final_train: number | null;
}
export interface Gain {
  before: number | null;
  after: number | null;
}
export interface Rewards {
  margin: Gain;
  accuracy: Gain;
}
export interface PeakMemory {
  process: number;
  gpu: number | null;
}
export interface DataReport {
  path: string;
  sha256: string;
  rows: number;
  format: string;
}
export interface FailedEvent {
  n: Number;
  time: Time;
  type: 'failed';
  step: OptionalStep;
  data: FailedData;
}
export interface FailedData {
  code: 'out_of_memory' | 'invalid_data' | 'invalid_model' | 'world_size' | 'disk_full' | 'not_allowed' | 'internal';
  message: string;
  retryable: boolean;
}
