import type { NewEvent } from './job-changes.js';
import { snapshotOf } from './job-changes.js';
import type { JobSnapshot } from './job-events.port.js';
import type { Report, WorkerEvent } from './run-contract.generated.js';

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

/** A running job is never shown as done: 100 % belongs to the completed one. */
const MOST_WHILE_RUNNING = 99.9;

function percent(step: number, total: number): number {
  return total > 0 ? Math.min(MOST_WHILE_RUNNING, round((100 * step) / total, 2)) : 0;
}

/** The metrics of a finished job: the original's names first, then what was measured beside. */
export function finalMetrics(report: Report): Record<string, unknown> {
  return {
    final_loss: report.loss.final_train,
    perplexity: report.perplexity.after,
    accuracy: report.token_accuracy.after,
    epochs_completed: report.epochs,
    eval_loss_before: report.loss.before,
    eval_loss_after: report.loss.after,
    perplexity_before: report.perplexity.before,
    steps: report.steps,
    tokens_per_second: report.tokens_per_second,
    train_tokens: report.train_tokens,
    train_seconds: report.seconds,
    peak_memory_bytes: report.peak_memory_bytes,
    ...finalRewards(report),
  };
}

/** A training by preferences also says how much more it prefers the preferred answers than its reference does. */
const finalRewards = ({ rewards, method, beta }: Report): Record<string, unknown> =>
  rewards
    ? {
        method,
        beta,
        reward_margin_before: rewards.margin.before,
        reward_margin_after: rewards.margin.after,
        reward_accuracy_before: rewards.accuracy.before,
        reward_accuracy_after: rewards.accuracy.after,
      }
    : {};

/** What only a training by preferences reports. */
const rewardsOf = (data: {
  reward_margin?: number | null;
  reward_accuracy?: number | null;
}): Record<string, unknown> =>
  typeof data.reward_margin === 'number'
    ? { reward_margin: data.reward_margin, reward_accuracy: data.reward_accuracy ?? null }
    : {};

/** The state of a job after its worker reported `event`; pure. */
export function applyReport(state: JobSnapshot, event: WorkerEvent): JobSnapshot {
  switch (event.type) {
    case 'started':
      return {
        ...state,
        total_steps: event.data.total_steps,
        total_epochs: event.data.total_epochs,
        current_step: event.data.resumed_step,
        progress_percent: percent(event.data.resumed_step, event.data.total_steps),
      };
    case 'progress':
      return {
        ...state,
        current_step: event.step,
        total_steps: event.data.total_steps,
        current_epoch: round(event.data.epoch, 4),
        total_epochs: event.data.total_epochs,
        progress_percent: percent(event.step, event.data.total_steps),
        seconds_left: event.data.seconds_left,
        metrics: {
          ...state.metrics,
          loss: event.data.loss,
          learning_rate: event.data.learning_rate,
          grad_norm: event.data.grad_norm,
          tokens_per_second: event.data.tokens_per_second,
          token_accuracy: event.data.token_accuracy,
          ...rewardsOf(event.data),
        },
      };
    case 'metric':
      return { ...state, metrics: { ...state.metrics, ...evaluated(event.data) } };
    case 'finished':
      return { ...state, seconds_left: 0, metrics: finalMetrics(event.data.report) };
    case 'phase':
    case 'checkpoint':
    case 'stopped':
    case 'failed':
      return state;
  }
}

function evaluated(data: Extract<WorkerEvent, { type: 'metric' }>['data']): Record<string, unknown> {
  const rewards = Object.entries(rewardsOf(data)).map(([name, value]): [string, unknown] => [`eval_${name}`, value]);
  const named: Record<string, unknown> = {
    eval_loss: data.eval_loss,
    perplexity: data.perplexity,
    ...Object.fromEntries(rewards),
  };
  return data.when === 'before' ? { ...named, eval_loss_before: data.eval_loss } : named;
}

/** A worker's failure is not yet the job's: another attempt may follow. */
const eventType = (report: WorkerEvent): string => (report.type === 'failed' ? 'worker_failed' : report.type);

/** Folds a batch of reports: the state behind it, and the events to store, each with the state right after it. */
export function foldReports(state: JobSnapshot, reports: WorkerEvent[]): { state: JobSnapshot; events: NewEvent[] } {
  const events: NewEvent[] = [];
  let now = snapshotOf(state);
  for (const report of reports) {
    now = applyReport(now, report);
    events.push({ type: eventType(report), step: report.step, time: report.time, data: { ...report.data }, job: now });
  }
  return { state: now, events };
}
