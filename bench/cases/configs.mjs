import { join } from 'node:path';
import { findPython, installTrainer } from '../../scripts/python.mjs';
import { callJson, startApplication, until } from '../application.mjs';
import { spread } from '../figures.mjs';

export const title = 'the shipped configurations, each alone and two side by side';
export const usage = '--rounds N (1)';

const LONGEST_MS = 1_800_000;
const NAMES = ['lora', 'qlora', 'continuous', 'multi_gpu'];
/** multi_gpu is a way to run lora. */
const trainerOf = (name) => (name === 'multi_gpu' ? 'lora' : name);

/** @param {string} url @param {string} name */
async function post(url, name) {
  const body = { trainer_type: trainerOf(name), config_path: `configs/${name}_config.yaml` };
  return (await callJson(`${url}/api/training/jobs`, { method: 'POST', body })).job_id;
}

/** Waits for the end; answers seconds from the first step and from the start of the worker, and the steps logged. */
async function ended(url, jobId) {
  const job = async () => (await callJson(`${url}/api/training/jobs/${jobId}`)).data;
  await until(async () => ['completed', 'failed'].includes((await job()).status), `the end of ${jobId}`, {
    ms: 250,
    deadlineMs: LONGEST_MS,
  });
  const { status, error_message, started_at, completed_at } = await job();
  if (status !== 'completed') throw new Error(`the job ${status}: ${error_message}`);
  const { events } = await callJson(`${url}/api/training/jobs/${jobId}/events?limit=1000`);
  const progress = events.filter(({ type }) => type === 'progress');
  const end = Date.parse(completed_at);
  const seconds = (from) => (end - Date.parse(from)) / 1000;
  return { steps: progress.length, fromFirstStep: seconds(progress[0].time), whole: seconds(started_at) };
}

/** @returns {Promise<import('../report.mjs').Result>} */
export async function run({ folder, options, say, closing }) {
  const rounds = Number(options.rounds ?? 1);
  await installTrainer({ python: await findPython(), dev: false, say });
  const { url, stop } = await startApplication({ folder: join(folder, 'application') });
  closing(() => stop('SIGINT'));
  const ready = async () => (await callJson(`${url}/readyz`)).status === 'ok';
  await until(ready, 'the trainer environment', { ms: 500, deadlineMs: LONGEST_MS });
  const alone = Object.fromEntries(NAMES.map((name) => [name, []]));
  const pairs = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const name of NAMES) {
      const took = await ended(url, await post(url, name));
      alone[name].push(took);
      say(`${name}: ${took.fromFirstStep.toFixed(1)} s from the first step, ${took.whole.toFixed(1)} s in all`);
    }
    const started = performance.now();
    const jobs = [await post(url, 'lora'), await post(url, 'qlora')];
    await Promise.all(jobs.map((job) => ended(url, job)));
    pairs.push((performance.now() - started) / 1000);
    say(`lora and qlora side by side: ${pairs.at(-1).toFixed(1)} s`);
  }
  const of = (name, key) => spread(alone[name].map((took) => took[key]));
  return {
    figures: [
      ...NAMES.flatMap((name) => [
        { name: `${name}, first step to end`, unit: 's', ...of(name, 'fromFirstStep'), target: { most: 90 } },
        { name: `${name}, start of the worker to end`, unit: 's', ...of(name, 'whole') },
        {
          name: `${name}, steps logged`,
          unit: '',
          value: Math.min(...alone[name].map(({ steps }) => steps)),
          target: { least: 10 },
        },
      ]),
      {
        name: 'lora and qlora side by side, POST to the end of both',
        unit: 's',
        ...spread(pairs),
        target: { most: 150 },
      },
    ],
    setup: ['configs/*.yaml as shipped, the default base model, one application with the embedded PostgreSQL.'],
  };
}
