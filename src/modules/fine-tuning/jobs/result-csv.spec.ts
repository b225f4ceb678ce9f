import type { FineTuningEvent } from '../../training/fine-tuning-jobs.port.js';
import { resultCsv } from './result-csv.js';

let number = 0;
const event = (type: string, step: number | null, data: Record<string, unknown> = {}): FineTuningEvent => ({
  number: (number += 1),
  time: new Date(0),
  type,
  step,
  data,
});

it('has a line for each step with what was measured there', () => {
  const events = [
    event('created', null),
    event('metric', 0, { when: 'before', eval_loss: 9 }),
    event('progress', 1, { loss: 2.5, token_accuracy: 0.25 }),
    event('progress', 2, { loss: 2, token_accuracy: null }),
    event('metric', 2, { when: 'during', eval_loss: 1.5, token_accuracy: 0.5 }),
    event('checkpoint', 2),
    // A later attempt repeats a step: the last report counts.
    event('progress', 2, { loss: 1.75, token_accuracy: 0.4 }),
    event('completed', null),
  ];
  expect(resultCsv(events)).toBe(
    'step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n1,2.5,0.25,,\n2,1.75,0.4,1.5,0.5\n',
  );
});

it('of no steps is its head', () => expect(resultCsv([])).toMatch(/^step,[\w,]+\n$/));
