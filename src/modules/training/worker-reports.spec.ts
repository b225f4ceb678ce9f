import type { JobSnapshot } from './job-events.port.js';
import type { ProgressData, Report, StartedData, WorkerEvent } from './run-contract.generated.js';
import { applyReport, finalMetrics, foldReports } from './worker-reports.js';

const idle: JobSnapshot = {
  status: 'running',
  paused: false,
  progress_percent: 0,
  current_epoch: 0,
  total_epochs: 0,
  current_step: 0,
  total_steps: 0,
  seconds_left: null,
  metrics: null,
};
const time = '2026-11-23T10:00:00.123Z';
const started = (change: Partial<StartedData> = {}): WorkerEvent => ({
  n: 1,
  time,
  type: 'started',
  step: 0,
  data: { total_steps: 40, total_epochs: 2, resumed_step: 0, ...change } as StartedData,
});
const progress = (step: number, change: Partial<ProgressData> = {}): WorkerEvent => ({
  n: step + 1,
  time,
  type: 'progress',
  step,
  data: {
    epoch: step / 20,
    total_epochs: 2,
    total_steps: 40,
    loss: 1 / step,
    learning_rate: 0.1,
    grad_norm: null,
    tokens_per_second: 10,
    tokens_seen: step,
    token_accuracy: null,
    reward_margin: null,
    reward_accuracy: null,
    seconds_left: 40 - step,
    gpu_memory_bytes: null,
    ...change,
  },
});
const metric = (when: 'before' | 'during' | 'after', eval_loss: number): WorkerEvent => ({
  n: 9,
  time,
  type: 'metric',
  step: 0,
  data: { when, eval_loss, perplexity: 2, token_accuracy: 0.5, reward_margin: null, reward_accuracy: null },
});
const report = {
  loss: { before: 3, after: 1, final_train: 0.9 },
  perplexity: { before: 20, after: 2.7 },
  token_accuracy: { before: 0.1, after: 0.8 },
  epochs: 2,
  steps: 40,
} as Report;

describe('the reports of a worker', () => {
  it('make the state of the job', () => {
    const { state, events } = foldReports(idle, [started(), progress(1), progress(10)]);
    expect(state).toEqual({
      ...idle,
      progress_percent: 25,
      current_epoch: 0.5,
      total_epochs: 2,
      current_step: 10,
      total_steps: 40,
      seconds_left: 30,
      metrics: { loss: 0.1, learning_rate: 0.1, grad_norm: null, tokens_per_second: 10, token_accuracy: null },
    });
    expect(events.map(({ type, step, time: at }) => [type, step, at])).toEqual([
      ['started', 0, time],
      ['progress', 1, time],
      ['progress', 10, time],
    ]);
  });

  it('carry, each, the state right after it', () => {
    const { events } = foldReports(idle, [started(), progress(4), progress(8)]);
    expect(events.map(({ job }) => job?.current_step)).toEqual([0, 4, 8]);
    expect(events.map(({ job }) => job?.progress_percent)).toEqual([0, 10, 20]);
  });

  it('never show a running job as done', () => {
    expect(applyReport(idle, progress(40)).progress_percent).toBe(99.9);
    expect(applyReport(idle, progress(5, { total_steps: 0 })).progress_percent).toBe(0);
  });

  it('of a resumed attempt go on where it resumed', () => {
    expect(applyReport(idle, started({ resumed_step: 10 }))).toMatchObject({ current_step: 10, progress_percent: 25 });
  });

  it('of an evaluation stand beside those of the steps; the first one is kept', () => {
    const { state } = foldReports(idle, [metric('before', 3), progress(1), metric('during', 2)]);
    expect(state.metrics).toMatchObject({ eval_loss_before: 3, eval_loss: 2, loss: 1, perplexity: 2 });
    expect(applyReport(state, metric('after', 1)).metrics).toMatchObject({ eval_loss_before: 3, eval_loss: 1 });
  });

  it('end in the names of the original', () => {
    const last: WorkerEvent = { n: 50, time, type: 'finished', step: 40, data: { adapter: 'adapter', report } };
    const { metrics, seconds_left } = applyReport(idle, last);
    expect(metrics).toEqual(finalMetrics(report));
    expect(metrics).toMatchObject({
      final_loss: 0.9,
      perplexity: 2.7,
      accuracy: 0.8,
      epochs_completed: 2,
      eval_loss_before: 3,
      eval_loss_after: 1,
    });
    expect(seconds_left).toBe(0);
  });

  it("of phases, checkpoints and ends leave the state as it is; a failure is the worker's, not yet the job's", () => {
    const others: WorkerEvent[] = [
      { n: 1, time, type: 'phase', step: null, data: { phase: 'importing' } },
      { n: 2, time, type: 'checkpoint', step: 5, data: { path: 'checkpoints/checkpoint-5' } },
      { n: 3, time, type: 'stopped', step: 5, data: { reason: 'cancel', checkpoint: null } },
      { n: 4, time, type: 'failed', step: 5, data: { code: 'internal', message: 'no', retryable: true } },
    ];
    for (const event of others) expect(applyReport(idle, event)).toBe(idle);
    expect(foldReports(idle, others).events.map(({ type }) => type)).toEqual([
      'phase',
      'checkpoint',
      'stopped',
      'worker_failed',
    ]);
  });
});
