import type { FineTuningEvent } from '../../training/fine-tuning-jobs.port.js';
import { unixSeconds } from '../files/openai-file.js';
import { eventId } from './job-ids.js';
import type { JobEventDto } from './job-object.dto.js';
import type { JobRow } from './job-row.js';

/** Events of the training job stand behind those of the time before there was one. */
export const FIRST_OF_TRAINING = 16;

/** An event before it has its id. */
interface Told {
  message: string;
  level?: JobEventDto['level'];
  metrics?: Record<string, unknown>;
}

const at = (position: number, time: Date, { message, level = 'info', metrics }: Told, row: JobRow): JobEventDto => ({
  id: eventId(row.id, position),
  object: 'fine_tuning.job.event',
  created_at: unixSeconds(time),
  level,
  message,
  type: metrics ? 'metrics' : 'message',
  data: metrics ?? {},
});

/** What happened before the training job was made, newest first. */
export function earlyEvents(row: JobRow): JobEventDto[] {
  const events = [
    at(1, row.created_at, { message: `Created fine-tuning job: ${row.id}` }, row),
    at(2, row.created_at, { message: `Validating training file: ${row.training_file}` }, row),
  ];
  const end = row.ended_at ?? row.created_at;
  if (row.state === 'failed') {
    const message = row.error?.message ?? 'The job failed';
    events.push(at(3, end, { level: 'error', message }, row));
  }
  if (row.state === 'cancelled') events.push(at(3, end, { message: 'The job was cancelled' }, row));
  if (row.state === 'paused') events.push(at(3, end, { message: 'The job is paused' }, row));
  return events.toReversed();
}

const shown = (value: unknown): string => (typeof value === 'number' ? value.toFixed(4) : 'unknown');

/** Those of the values that were measured. */
function measured(values: Record<string, unknown>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}

function progress({ step, data }: FineTuningEvent): Told {
  const metrics = measured({
    step,
    total_steps: data['total_steps'],
    train_loss: data['loss'],
    train_mean_token_accuracy: data['token_accuracy'],
    learning_rate: data['learning_rate'],
  });
  return {
    message: `Step ${step ?? 0}/${metrics['total_steps'] ?? '?'}: training loss=${shown(data['loss'])}`,
    metrics,
  };
}

function evaluation({ step, data }: FineTuningEvent): Told {
  const prefix = data['when'] === 'during' ? '' : 'full_';
  const metrics = measured({
    step,
    [`${prefix}valid_loss`]: data['eval_loss'],
    [`${prefix}valid_mean_token_accuracy`]: data['token_accuracy'],
  });
  return { message: `Evaluation at step ${step ?? 0}: validation loss=${shown(data['eval_loss'])}`, metrics };
}

const wordsOf = ({ data, type }: FineTuningEvent): string =>
  typeof data['message'] === 'string' ? data['message'] : type.replaceAll('_', ' ');

const PHASES: Readonly<Record<string, string>> = {
  importing: 'The trainer starts',
  loading_model: 'Loading the base model',
  preparing_data: 'Preparing the data',
  evaluating_before: 'Evaluating the base model',
  training: 'Training',
  evaluating_after: 'Evaluating the adapter',
  saving: 'Saving the adapter',
};

const begun = ({ data }: FineTuningEvent): string =>
  `Training begins: ${String(data['train_rows'])} rows, ${String(data['total_steps'])} steps on ${String(data['device'])}`;

function told(event: FineTuningEvent, row: JobRow): Told {
  const { type, step, data } = event;
  switch (type) {
    case 'created':
      return { message: 'Files validated, moving job to queued state' };
    case 'queued':
      return { message: 'The job waits for its turn' };
    case 'running':
      return {
        message: data['attempt'] === 1 ? 'Fine-tuning job started' : `Attempt ${String(data['attempt'])} started`,
      };
    case 'phase':
      return { message: PHASES[String(data['phase'])] ?? `Phase: ${String(data['phase'])}` };
    case 'started':
      return { message: begun(event) };
    case 'progress':
      return progress(event);
    case 'metric':
      return evaluation(event);
    case 'checkpoint':
      return { message: `Checkpoint created at step ${step ?? 0}` };
    case 'finished':
      return { message: 'The training has ended' };
    case 'completed':
      return { message: `The job has successfully completed; new fine-tuned model: ${row.fine_tuned_model ?? '…'}` };
    case 'failed':
      return { level: 'error', message: wordsOf(event) };
    case 'worker_failed':
    case 'retrying':
      return { level: 'warn', message: wordsOf(event) };
    default:
      return { message: `The job: ${wordsOf(event)}` };
  }
}

/** An event of the training job in OpenAI's words. */
export const trainingEvent = (event: FineTuningEvent, row: JobRow): JobEventDto =>
  at(event.number + FIRST_OF_TRAINING, event.time, told(event, row), row);

/** What was measured at a checkpoint, under its names at OpenAI. */
export const checkpointMetrics = (metrics: Record<string, unknown>): Record<string, number> =>
  measured({
    train_loss: metrics['loss'],
    train_mean_token_accuracy: metrics['token_accuracy'],
    valid_loss: metrics['eval_loss'],
    valid_mean_token_accuracy: metrics['eval_token_accuracy'],
  });
