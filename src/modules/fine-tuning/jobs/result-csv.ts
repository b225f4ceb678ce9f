import type { FineTuningEvent } from '../../training/fine-tuning-jobs.port.js';

const HEAD = 'step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy';

interface Line {
  loss?: unknown;
  accuracy?: unknown;
  validLoss?: unknown;
  validAccuracy?: unknown;
}

const cell = (value: unknown): string => (typeof value === 'number' ? String(value) : '');

/** The step metrics of a job as OpenAI's results file has them, a line a step; pure. */
export function resultCsv(events: readonly FineTuningEvent[]): string {
  const lines = new Map<number, Line>();
  for (const { type, step, data } of events) {
    if (step === null || (type !== 'progress' && type !== 'metric') || data['when'] === 'before') continue;
    const line = lines.get(step) ?? {};
    if (type === 'progress') Object.assign(line, { loss: data['loss'], accuracy: data['token_accuracy'] });
    else Object.assign(line, { validLoss: data['eval_loss'], validAccuracy: data['token_accuracy'] });
    lines.set(step, line);
  }
  const rows = [...lines]
    .toSorted(([a], [b]) => a - b)
    .map(([step, { loss, accuracy, validLoss, validAccuracy }]) =>
      [String(step), cell(loss), cell(accuracy), cell(validLoss), cell(validAccuracy)].join(','),
    );
  return `${[HEAD, ...rows].join('\n')}\n`;
}
