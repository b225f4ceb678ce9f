import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CONFIG, callJson, startApplication, until } from '../application.mjs';
import { percentile, spread } from '../figures.mjs';
import { standInTrainer } from '../stand-in.mjs';

export const title = 'from POST to the spawned worker';
export const usage = '--jobs N (30)';

const WARM_UP_JOBS = 3;
const REQUEST = { trainer_type: 'lora', config_path: CONFIG, dataset_path: '', priority: 3 };

/** When the file got its content, in ms since 1970; the kernel's clock for files steps by 4 ms at most. */
function writtenAt(path) {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return undefined;
  }
}

/** The worker's first act is to write the time down. */
const workerStart = async (path) => {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.endsWith('\n') ? Number(text) / 1e6 : undefined;
};

/** One job, from the moment before the request is sent; the next begins when this one has ended. */
async function oneJob(clara, data) {
  const sent = performance.timeOrigin + performance.now();
  const { job_id } = await callJson(`${clara.url}/api/training/jobs`, { method: 'POST', body: REQUEST });
  const answered = performance.timeOrigin + performance.now();
  const run = join(data, 'runs', job_id, '1');
  const worker = await until(() => workerStart(join(run, 'worker.started')), `the worker of ${job_id}`, { ms: 5 });
  await until(
    async () => (await callJson(`${clara.url}/api/training/jobs/${job_id}`)).status === 'failed',
    `the end of ${job_id}`,
    { ms: 5 },
  );
  const launcher = writtenAt(join(run, 'launcher.json'));
  return { answered: answered - sent, launcher: launcher - sent, worker: worker - sent };
}

/** @returns {Promise<import('../report.mjs').Result>} */
export async function run({ folder, options, say, closing }) {
  const jobs = Number(options.jobs ?? 30);
  const clara = await startApplication({ folder, env: standInTrainer(folder, 'ends') });
  closing(clara.stop);
  await until(async () => (await callJson(`${clara.url}/api/training/workers`)).max_workers > 0, 'a worker slot');
  const data = join(folder, 'data');
  for (let index = 0; index < WARM_UP_JOBS; index += 1) await oneJob(clara, data);
  const times = [];
  for (let index = 0; index < jobs; index += 1) {
    times.push(await oneJob(clara, data));
    const { answered, launcher, worker } = times.at(-1);
    say(`answer ${answered.toFixed(1)} ms, launcher.json ${launcher.toFixed(1)} ms, worker ${worker.toFixed(1)} ms`);
  }
  const of = (key) => times.map((time) => time[key]);
  return {
    figures: [
      { name: 'POST to the worker running, p50', unit: 'ms', ...spread(of('worker')), target: { most: 50 } },
      { name: 'POST to launcher.json, p50', unit: 'ms', ...spread(of('launcher')) },
      { name: 'POST to the worker running, p90', unit: 'ms', value: percentile(of('worker'), 90) },
      { name: 'POST to its answer, p50', unit: 'ms', ...spread(of('answered')) },
    ],
    setup: [
      `${jobs} jobs one after the other on an idle application with the embedded PostgreSQL, after ${WARM_UP_JOBS} unmeasured ones; time from before the request is sent.`,
      'Queue, run folder and launch.py are the real ones; in the place of accelerate a shell script writes the time of its start down (its own start and that of `date`, some 2 ms, are counted) and fails.',
    ],
  };
}
