import type { FineTuningJob } from '../../training/fine-tuning-jobs.port.js';
import { unixSeconds } from '../files/openai-file.js';
import type {
  FineTuningJobDto,
  JobErrorDto,
  JobHyperparametersDto,
  JobMethodDto,
  OpenAiStatus,
} from './job-object.dto.js';
import type { JobRow } from './job-row.js';

/** What of a training job is shown. */
export type ShownTraining = Pick<FineTuningJob, 'status' | 'completedAt' | 'secondsLeft' | 'metrics' | 'error'>;

const BAD_DATA = 'invalid_data';

export function openAiStatus(row: JobRow, training: ShownTraining | undefined): OpenAiStatus {
  switch (row.state) {
    case 'validating':
      return 'validating_files';
    case 'paused':
    case 'failed':
    case 'cancelled':
      return row.state;
    case 'accepted':
      return statusOfTraining(training);
  }
}

function statusOfTraining(training: ShownTraining | undefined): OpenAiStatus {
  switch (training?.status) {
    case undefined:
      return 'failed';
    case 'pending':
    case 'queued':
      return 'queued';
    case 'running':
    case 'paused':
    case 'failed':
    case 'cancelled':
      return training.status;
    case 'completed':
      return 'succeeded';
  }
}

function errorOf(row: JobRow, training: ShownTraining | undefined): JobErrorDto | null {
  if (row.state !== 'accepted') return row.error;
  if (!training) return { code: 'server_error', message: 'the training job is gone', param: null };
  if (training.status !== 'failed') return null;
  const { code, message } = training.error ?? { code: 'server_error', message: 'the training failed' };
  return code === BAD_DATA
    ? { code: 'invalid_training_file', message, param: 'training_file' }
    : { code, message, param: null };
}

function hyperparametersOf({ request, hyperparameters }: JobRow): JobHyperparametersDto {
  const { n_epochs, batch_size, learning_rate_multiplier, beta } = hyperparameters ?? request.asked;
  return { n_epochs, batch_size, learning_rate_multiplier, ...(request.method === 'dpo' ? { beta } : {}) };
}

function methodOf(row: JobRow): JobMethodDto {
  const part = { hyperparameters: hyperparametersOf(row) };
  return row.request.method === 'dpo' ? { type: 'dpo', dpo: part } : { type: 'supervised', supervised: part };
}

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);

const seconds = (date: Date | null | undefined): number | null => (date ? unixSeconds(date) : null);

/** A job as OpenAI's API shows it; pure. */
export function jobObject(
  row: JobRow,
  training: ShownTraining | undefined,
  { organization, now }: { organization: string; now: number },
): FineTuningJobDto {
  const status = openAiStatus(row, training);
  const left = status === 'running' ? (training?.secondsLeft ?? null) : null;
  const hasSucceeded = status === 'succeeded';
  return {
    id: row.id,
    object: 'fine_tuning.job',
    created_at: unixSeconds(row.created_at),
    finished_at: seconds(row.state === 'accepted' ? training?.completedAt : row.ended_at),
    estimated_finish: left === null ? null : Math.ceil(now / 1000 + left),
    status,
    model: row.model,
    fine_tuned_model: hasSucceeded ? row.fine_tuned_model : null,
    training_file: row.training_file,
    validation_file: row.validation_file,
    result_files: hasSucceeded && row.result_file !== null ? [row.result_file] : [],
    hyperparameters: hyperparametersOf(row),
    method: methodOf(row),
    trained_tokens: hasSucceeded ? numberOf(training?.metrics?.['train_tokens']) : null,
    seed: row.request.seed,
    error: errorOf(row, training),
    organization_id: organization,
    user_provided_suffix: row.request.suffix,
    metadata: row.metadata,
    integrations: [],
  };
}
