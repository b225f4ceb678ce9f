// Stands in for a training: appends ten progress events a second to events.jsonl until it is signalled.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
const PERIOD_MS = 100;
const TOTAL_STEPS = 1_000_000;
let number = 0;

/**
 * @param {string} type
 * @param {number | null} step
 * @param {object} data
 */
function append(type, step, data) {
  number += 1;
  appendFileSync(
    join(folder, 'events.jsonl'),
    `${JSON.stringify({ n: number, time: new Date().toISOString(), type, step, data })}\n`,
  );
}

/** @param {number} step */
const progress = (step) => ({
  epoch: step / 1000,
  total_epochs: 3,
  total_steps: TOTAL_STEPS,
  loss: 1 / step,
  learning_rate: 2e-4,
  grad_norm: 1.25,
  tokens_per_second: 1234.5,
  tokens_seen: 512 * step,
  token_accuracy: 0.5,
  seconds_left: 60,
  gpu_memory_bytes: null,
});

function end() {
  append('stopped', null, { reason: 'cancel', checkpoint: null });
  process.exit(0);
}

process.on('SIGTERM', end);
append('phase', null, { phase: 'training' });
append('started', 0, {
  world_size: 1,
  device: 'cpu',
  device_name: 'stand-in',
  precision: 'fp32',
  packing: false,
  attention: 'eager',
  parameters: 1,
  trainable_parameters: 1,
  total_steps: TOTAL_STEPS,
  total_epochs: 3,
  train_rows: 1,
  eval_rows: 0,
  resumed_step: 0,
  warnings: [],
  versions: {},
});
const first = performance.now();
let step = 0;
// Each step has its own moment, so that late timers do not lower the rate.
const tick = () => {
  step += 1;
  append('progress', step, progress(step));
  setTimeout(tick, Math.max(0, first + step * PERIOD_MS - performance.now()));
};
tick();
