import { setTimeout as sleep } from 'node:timers/promises';
import { CONFIG, callJson, startApplication, until } from '../application.mjs';
import { cpuSeconds, residentMb } from '../processes.mjs';
import { Fleet } from '../sockets/fleet.mjs';
import { standInTrainer } from '../stand-in.mjs';

export const title = 'a thousand sockets, ten updates a second to all';
export const usage = '--sockets N (1000) --seconds N (30)';

const SHARE_DROPPED = 0.2;
const AWAY_MS = 2000;
const QUIET_SECONDS = 3;
const REQUEST = { trainer_type: 'lora', config_path: CONFIG, dataset_path: '' };

/** Whether all clients have the newest update, after the worker has gone silent. */
async function allArrived(fleet) {
  const { newest } = await fleet.report();
  return newest.every((stream) => stream === newest[0]);
}

/** The share of one core that a process used meanwhile. */
function cpuMeter(pids) {
  const before = pids.map((pid) => cpuSeconds([pid]));
  const started = Date.now();
  return () => pids.map((pid, index) => (100_000 * (cpuSeconds([pid]) - before[index])) / (Date.now() - started));
}

async function measure(clara, fleet, seconds, say) {
  const api = `${clara.url}/api/training/jobs`;
  await fleet.all('open');
  say('all clients are connected');
  const { job_id } = await callJson(api, { method: 'POST', body: REQUEST });
  await until(async () => (await callJson(`${api}/${job_id}`)).data.current_step > 0, 'the first step');
  await sleep(QUIET_SECONDS * 1000);
  const busy = cpuMeter([clara.pid, ...fleet.pids]);
  await fleet.all('count', { on: true });
  await sleep(seconds * 1000);
  await fleet.all('count', { on: false });
  const cpu = busy();
  say(`delivered; now ${SHARE_DROPPED * 100} % of the clients are dropped and come back`);
  const dropped = await fleet.all('dropAndReturn', { share: SHARE_DROPPED, ms: AWAY_MS });
  await sleep(AWAY_MS);
  const steps = (await callJson(`${api}/${job_id}`)).data.current_step;
  await callJson(`${api}/${job_id}`, { method: 'DELETE' });
  await until(async () => (await callJson(`${api}/${job_id}`)).status === 'cancelled', 'the end of the job');
  await until(() => allArrived(fleet), 'the newest update at every client');
  const { events } = await callJson(`${api}/${job_id}/events?limit=1000`);
  return {
    ...(await fleet.report()),
    cpu,
    dropped: dropped.reduce((sum, count) => sum + count, 0),
    steps,
    stored: events.length,
  };
}

/** @returns {Promise<import('../report.mjs').Result>} */
export async function run({ folder, options, say, closing }) {
  const sockets = Number(options.sockets ?? 1000);
  const seconds = Number(options.seconds ?? 30);
  const clara = await startApplication({ folder, env: standInTrainer(folder, 'talks') });
  closing(() => clara.stop('SIGINT'));
  const fleet = new Fleet(clara.url, sockets);
  closing(() => fleet.close());
  const result = await measure(clara, fleet, seconds, say);
  const { latencies, missing, repeated, updates, cpu } = result;
  // The job's events are the only ones: each client must have every one of them.
  const expected = result.stored * sockets;
  const p = (percent) => latencies.percentile(percent);
  return {
    figures: [
      { name: 'worker writes to client receives, p99', unit: 'ms', value: p(99), target: { most: 150 } },
      {
        name: 'worker writes to client receives, p50',
        unit: 'ms',
        value: p(50),
        min: p(0.0001),
        max: p(100),
        of: latencies.total,
      },
      {
        name: 'updates that a client missed',
        unit: '',
        value: missing + Math.max(0, expected - updates),
        target: { most: 0 },
      },
      { name: 'updates that came twice or out of order', unit: '', value: repeated, target: { most: 0 } },
      { name: 'updates delivered', unit: '/s', value: latencies.total / seconds },
      { name: 'CPU of the application', unit: '% of a core', value: cpu[0] },
      { name: 'CPU of the Socket.IO clients', unit: '% of a core', value: cpu[1] },
      { name: 'CPU of the plain clients', unit: '% of a core', value: cpu[2] },
      { name: 'resident memory of the application at the end', unit: 'MB', value: residentMb(clara.pid) },
    ],
    setup: [
      `${sockets / 2} Socket.IO clients (WebSocket transport) and ${sockets / 2} plain ones, in two processes on the same machine; ${result.steps} steps of one job at 10 a second, latencies of ${seconds} s of them, from the time in the worker's event to the receipt.`,
      'A stand-in worker appends to events.jsonl of a running job; launcher, supervision, event log, numbering and delivery are the real ones.',
      `Then ${result.dropped} clients were dropped and came back after ${AWAY_MS / 1000} s with their last stream number; replayed updates are checked and not counted as latencies. At the end every client was compared with the ${result.stored} stored events.`,
    ],
  };
}
