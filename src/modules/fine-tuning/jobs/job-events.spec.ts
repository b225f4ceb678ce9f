import { jobRow } from '../../../../test/fixtures/openai-jobs.js';
import { checkpointMetrics, earlyEvents, trainingEvent } from './job-events.js';

const row = jobRow({ fine_tuned_model: 'ft:a:b::c' });
const told = (type: string, data: Record<string, unknown> = {}, step: number | null = null) =>
  trainingEvent({ number: 5, time: new Date(1_500), type, step, data }, row);

it('before the training tells what became of the files, newest first', () => {
  const messages = (changes: Parameters<typeof jobRow>[0]) =>
    earlyEvents(jobRow(changes)).map(({ message }) => message);
  const first = [`Validating training file: ${row.training_file}`, `Created fine-tuning job: ${row.id}`];
  expect(messages({ state: 'validating' })).toEqual(first);
  const error = { code: 'invalid_training_file', message: 'line 3', param: 'training_file' };
  expect(messages({ state: 'failed', error })).toEqual(['line 3', ...first]);
  expect(messages({ state: 'cancelled' })).toEqual(['The job was cancelled', ...first]);
});

it('says the steps in numbers', () => {
  expect(told('progress', { loss: 0.25, total_steps: 9, token_accuracy: null, learning_rate: 0.001 }, 3)).toEqual({
    id: expect.stringMatching(/^ftevent-[0-9a-f]{32}$/),
    object: 'fine_tuning.job.event',
    created_at: 1,
    level: 'info',
    type: 'metrics',
    message: 'Step 3/9: training loss=0.2500',
    data: { step: 3, total_steps: 9, train_loss: 0.25, learning_rate: 0.001 },
  });
  expect(told('metric', { when: 'during', eval_loss: 2 }, 4).data).toEqual({ step: 4, valid_loss: 2 });
  expect(told('metric', { when: 'after', eval_loss: 2, token_accuracy: 0.5 }, 9).data).toEqual({
    step: 9,
    full_valid_loss: 2,
    full_valid_mean_token_accuracy: 0.5,
  });
});

it.each([
  ['created', {}, 'info', 'Files validated, moving job to queued state'],
  ['running', { attempt: 1 }, 'info', 'Fine-tuning job started'],
  ['running', { attempt: 2 }, 'info', 'Attempt 2 started'],
  ['completed', {}, 'info', 'The job has successfully completed; new fine-tuned model: ft:a:b::c'],
  ['failed', { message: 'no memory' }, 'error', 'no memory'],
  ['retrying', { message: 'killed' }, 'warn', 'killed'],
  ['cancel_requested', {}, 'info', 'The job: cancel requested'],
])('%s %j is told as %s: %s', (type, data, level, message) =>
  expect(told(type, data)).toMatchObject({ level, message, type: 'message', data: {} }),
);

it('a checkpoint has what was measured there', () =>
  expect(checkpointMetrics({ loss: 1, token_accuracy: null, eval_loss: 2, grad_norm: 3 })).toEqual({
    train_loss: 1,
    valid_loss: 2,
  }));
