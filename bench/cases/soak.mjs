import { setTimeout as sleep } from 'node:timers/promises';
import { CONFIG, callJson, startApplication, until } from '../application.mjs';
import { median, percentile, slope } from '../figures.mjs';
import { residentMb } from '../processes.mjs';
import { Fleet } from '../sockets/fleet.mjs';
import { standInTrainer } from '../stand-in.mjs';

export const title = 'memory under a mixed load';
export const usage = '--minutes N (10) --sockets N (100)';

const SAMPLE_MS = 5000;
const REQUEST = { trainer_type: 'lora', config_path: CONFIG, dataset_path: '' };
/** Requests a second of each kind. */
const RATES = { get: 40, list: 10, post: 4, reconnect: 0.2 };

/** Calls `work` at a steady rate until stopped; late ones are not made up for. */
function atRate(perSecond, work, times, stopped) {
  const loop = async () => {
    while (!stopped.signal.aborted) {
      const started = performance.now();
      await work();
      times.push(performance.now() - started);
      await sleep(Math.max(0, 1000 / perSecond - (performance.now() - started)));
    }
  };
  return loop();
}

function mixedLoad(api, jobId, fleet, stopped) {
  const times = { get: [], list: [], post: [], reconnect: [] };
  const works = {
    get: () => callJson(`${api}/${jobId}`),
    list: () => callJson(`${api}/list?limit=50`),
    /** The only slot is taken, so a new job waits until it is cancelled: every path of a waiting job is used. */
    post: async () => {
      const { job_id } = await callJson(api, { method: 'POST', body: REQUEST });
      await callJson(`${api}/${job_id}`, { method: 'DELETE' });
    },
    reconnect: () => fleet.all('dropAndReturn', { share: 0.05, ms: 200 }),
  };
  const loops = Object.entries(works).map(([name, work]) => atRate(RATES[name], work, times[name], stopped));
  return { times, done: Promise.all(loops) };
}

const heapMb = async (url) => {
  const text = await (await fetch(url)).text();
  return Number(/^nodejs_heap_size_used_bytes (\S+)/m.exec(text)?.[1]) / 1024 ** 2;
};

async function sample(clara, minutes, say) {
  const samples = [];
  const started = Date.now();
  while (Date.now() - started < minutes * 60_000) {
    await sleep(SAMPLE_MS);
    samples.push({
      x: (Date.now() - started) / 60_000,
      y: residentMb(clara.pid),
      heap: await heapMb(clara.metricsUrl),
    });
    if (samples.length % 12 === 0)
      say(
        `${samples.at(-1).x.toFixed(0)} min: ${samples.at(-1).y.toFixed(0)} MB resident, ${samples.at(-1).heap.toFixed(0)} MB heap`,
      );
  }
  return samples;
}

function figuresOf(samples, minutes, { missing, repeated }, times) {
  // The compiler and the pools fill in the first fifth.
  const settled = samples.filter(({ x }) => x > minutes / 5);
  const part = Math.max(1, Math.floor(settled.length / 8));
  const of = (some) => median(some.map(({ y }) => y));
  const [begin, end] = [of(settled.slice(0, part)), of(settled.slice(-part))];
  const heap = settled.map((point) => point.heap);
  return [
    {
      name: 'resident memory at the end / after the first fifth',
      unit: 'times',
      value: end / begin,
      target: { most: 1.1 },
    },
    { name: 'resident memory after the first fifth', unit: 'MB', value: begin },
    {
      name: 'resident memory at the end',
      unit: 'MB',
      value: end,
      min: Math.min(...settled.map(({ y }) => y)),
      max: Math.max(...settled.map(({ y }) => y)),
    },
    { name: 'slope of the resident memory', unit: 'MB a minute', value: slope(settled) },
    { name: 'heap in use', unit: 'MB', value: median(heap), min: Math.min(...heap), max: Math.max(...heap) },
    { name: 'updates that a client missed, or got twice', unit: '', value: missing + repeated, target: { most: 0 } },
    ...Object.entries(times).map(([name, taken]) => ({
      name: `${name}, p99 of ${taken.length}`,
      unit: 'ms',
      value: percentile(taken, 99),
    })),
  ];
}

/** @returns {Promise<import('../report.mjs').Result>} */
export async function run({ folder, options, say, closing }) {
  const minutes = Number(options.minutes ?? 10);
  const sockets = Number(options.sockets ?? 100);
  const clara = await startApplication({
    folder,
    env: { ...standInTrainer(folder, 'talks'), CLARA_MAX_CONCURRENT_JOBS: '1' },
  });
  closing(() => clara.stop('SIGINT'));
  const fleet = new Fleet(clara.url, sockets);
  closing(() => fleet.close());
  const api = `${clara.url}/api/training/jobs`;
  await fleet.all('open');
  const { job_id } = await callJson(api, { method: 'POST', body: REQUEST });
  await until(async () => (await callJson(`${api}/${job_id}`)).data.current_step > 0, 'the first step');
  const stopped = new AbortController();
  const load = mixedLoad(api, job_id, fleet, stopped);
  const samples = await sample(clara, minutes, say);
  stopped.abort();
  await load.done;
  const seen = await fleet.report();
  return {
    figures: figuresOf(samples, minutes, seen, load.times),
    setup: [
      `${minutes} minutes with ${sockets} sockets (half Socket.IO) that get ten updates a second of a running job (a stand-in worker), and at most ${RATES.get} GET, ${RATES.list} list, ${RATES.post} POST and DELETE a second; 5 % of the sockets are cut and come back every 5 s. ${seen.updates} updates were delivered.`,
      'Resident memory of the Node process every 5 s; MB are of 1,048,576 bytes.',
    ],
  };
}
