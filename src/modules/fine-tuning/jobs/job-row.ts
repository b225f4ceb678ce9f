import type { Caller, Stored } from '../../security/principal.port.js';
import type { AskedHyperparameters, ResolvedHyperparameters } from './hyperparameters.js';
import type { Metadata } from './metadata.js';

/** Before 'accepted' the job is only here; behind it the training job says what it does. */
export type JobRowState = 'validating' | 'paused' | 'accepted' | 'failed' | 'cancelled';

export interface JobFailure {
  code: string;
  message: string;
  param: string | null;
}

/** What a job was asked to be, with what its model's name meant then. */
export interface JobRequest {
  method: 'supervised' | 'dpo';
  asked: AskedHyperparameters;
  suffix: string | null;
  seed: number;
  /** `default`, a hub id or a folder; null: that of the version. */
  baseModel: string | null;
  /** The version of an adapter that is trained further. */
  versionId: string | null;
  lora: { rank?: number; alpha?: number; target_modules?: string[] };
}

/** A row of openai_jobs. */
export interface JobRow {
  /** `ftjob-` and 24 hexadecimal digits. */
  id: string;
  seq: number;
  state: JobRowState;
  /** The training job; null before the files are checked. */
  job_id: string | null;
  /** As /v1/models lists it. */
  model: string;
  request: JobRequest;
  metadata: Metadata | null;
  training_file: string;
  validation_file: string | null;
  hyperparameters: ResolvedHyperparameters | null;
  created_by: string;
  caller: Stored<Caller>;
  /** The data folder whose application has the files. */
  place: string;
  created_at: Date;
  error: JobFailure | null;
  fine_tuned_model: string | null;
  result_file: string | null;
  ended_at: Date | null;
}

export type NewJobRow = Pick<
  JobRow,
  'id' | 'model' | 'request' | 'metadata' | 'training_file' | 'validation_file' | 'created_by' | 'caller' | 'place'
>;
