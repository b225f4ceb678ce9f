import { jobRow } from '../../../../test/fixtures/openai-jobs.js';
import type { JobStatus } from '../../training/fine-tuning-jobs.port.js';
import { jobObject, type ShownTraining } from './job-object.js';
import type { OpenAiStatus } from './job-object.dto.js';
import type { JobRow } from './job-row.js';

const training = (changes: Partial<ShownTraining> = {}): ShownTraining => ({
  status: 'running',
  completedAt: null,
  secondsLeft: 30,
  metrics: null,
  error: null,
  ...changes,
});
const shown = (row: Partial<JobRow> = {}, of?: Partial<ShownTraining>) =>
  jobObject(jobRow({ state: 'accepted', job_id: 'j', ...row }), training(of), { organization: 'amt', now: 1000_500 });

it.each<[JobStatus, OpenAiStatus]>([
  ['pending', 'queued'],
  ['queued', 'queued'],
  ['running', 'running'],
  ['paused', 'paused'],
  ['completed', 'succeeded'],
  ['failed', 'failed'],
  ['cancelled', 'cancelled'],
])('a training that is %s is %s', (status, expected) => expect(shown({}, { status }).status).toBe(expected));

it('before there is a training its own state counts', () => {
  const of = (row: Partial<JobRow>) => jobObject(jobRow(row), undefined, { organization: 'amt', now: 0 });
  expect(of({ state: 'validating' })).toMatchObject({ status: 'validating_files', finished_at: null, error: null });
  expect(of({ state: 'paused' }).status).toBe('paused');
  const error = { code: 'invalid_training_file', message: 'line 3', param: 'training_file' };
  expect(of({ state: 'failed', error, ended_at: new Date(7_900) })).toMatchObject({
    status: 'failed',
    error,
    finished_at: 7,
  });
  expect(of({ state: 'accepted', job_id: 'gone' })).toMatchObject({
    status: 'failed',
    error: { code: 'server_error' },
  });
});

it('tells when a running job will end, and of an ended one what came of it', () => {
  expect(shown().estimated_finish).toBe(1031);
  const made = { fine_tuned_model: 'ft:a:b::c', result_file: 'file-1' };
  expect(shown(made)).toMatchObject({ fine_tuned_model: null, result_files: [], trained_tokens: null });
  expect(
    shown(made, { status: 'completed', completedAt: new Date(9_999), metrics: { train_tokens: 77 } }),
  ).toMatchObject({
    estimated_finish: null,
    finished_at: 9,
    fine_tuned_model: 'ft:a:b::c',
    result_files: ['file-1'],
    trained_tokens: 77,
    organization_id: 'amt',
  });
});

it('blames the training file for data that the trainer refuses, and nothing else', () => {
  const errorOf = (code: string) => shown({}, { status: 'failed', error: { code, message: 'why' } }).error;
  expect(errorOf('invalid_data')).toEqual({ code: 'invalid_training_file', message: 'why', param: 'training_file' });
  expect(errorOf('out_of_memory')).toEqual({ code: 'out_of_memory', message: 'why', param: null });
  expect(shown({}, { status: 'failed' }).error).toMatchObject({ code: 'server_error' });
});

it('shows what was asked until it is resolved, and beta with dpo alone', () => {
  const resolved = {
    n_epochs: 3,
    batch_size: 2,
    learning_rate_multiplier: 0.5,
    beta: 0.1,
    learningRate: 1,
    warmupSteps: 1,
    saveSteps: 1,
  };
  const auto = { n_epochs: 'auto', batch_size: 'auto', learning_rate_multiplier: 'auto' };
  expect(shown().method).toEqual({ type: 'supervised', supervised: { hyperparameters: auto } });
  const values = { n_epochs: 3, batch_size: 2, learning_rate_multiplier: 0.5 };
  expect(shown({ hyperparameters: resolved }).hyperparameters).toEqual(values);
  const dpo = { ...jobRow().request, method: 'dpo' as const };
  expect(shown({ hyperparameters: resolved, request: dpo }).method).toEqual({
    type: 'dpo',
    dpo: { hyperparameters: { ...values, beta: 0.1 } },
  });
});
