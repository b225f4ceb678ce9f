import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { root } from '../../scripts/root.mjs';
import { startApplication } from '../application.mjs';
import { spread } from '../figures.mjs';
import { familyOf, proportionalMb, residentMb } from '../processes.mjs';
import { standInTrainer } from '../stand-in.mjs';

export const title = 'warm start to the first 200 on /health, and memory when idle';
export const usage = '--starts N (10)';

const IDLE_SECONDS = 20;
const BETWEEN_STARTS_MS = 500;

/** The application's own process: `npm start` only waits for it. */
const nodeOf = (pid) =>
  familyOf(pid).find((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('dist/src/main.js'));
const postmasterOf = (folder) =>
  Number(readFileSync(join(folder, 'data', 'postgres', 'cluster', 'postmaster.pid'), 'utf8').split('\n')[0]);

async function memoryWhenIdle(folder, env, closing) {
  const clara = await startApplication({ folder, env });
  closing(clara.stop);
  await sleep(IDLE_SECONDS * 1000);
  const node = residentMb(nodeOf(clara.pid));
  const postgres = proportionalMb(familyOf(postmasterOf(folder)));
  await clara.stop();
  return { node, postgres };
}

/** @returns {Promise<import('../report.mjs').Result>} */
export async function run({ folder, options, say, closing }) {
  const starts = Number(options.starts ?? 10);
  const env = standInTrainer(folder, 'ends');
  const first = await startApplication({ folder, env });
  closing(first.stop);
  say(`first start, with a new database: ${first.startedInMs.toFixed(0)} ms`);
  await first.stop();
  const times = { command: [], application: [] };
  for (let index = 0; index < starts; index += 1)
    for (const [kind, program] of /** @type {[string, string[] | undefined][]} */ ([
      ['command', [join(root, 'scripts', 'start.mjs')]],
      ['application', undefined],
    ])) {
      const clara = await startApplication({ folder, env, program });
      closing(clara.stop);
      times[kind].push(clara.startedInMs / 1000);
      await clara.stop();
      await sleep(BETWEEN_STARTS_MS);
      say(`${kind}: ${clara.startedInMs.toFixed(0)} ms`);
    }
  const { node, postgres } = await memoryWhenIdle(folder, env, closing);
  const command = spread(times.command);
  return {
    figures: [
      { name: 'npm start (scripts/start.mjs), slowest of all', unit: 's', value: command.max, target: { most: 3 } },
      { name: 'npm start (scripts/start.mjs)', unit: 's', ...command },
      { name: 'node dist/src/main.js', unit: 's', ...spread(times.application) },
      {
        name: `resident memory of the Node process, idle for ${IDLE_SECONDS} s`,
        unit: 'MB',
        value: node,
        target: { most: 200 },
      },
      { name: 'proportional memory of the embedded PostgreSQL beside', unit: 'MB', value: postgres },
    ],
    setup: [
      `${starts} warm starts each way, alternating, on an existing data folder with the embedded PostgreSQL: from spawning the command to the first 200 on /health, asked every 3 ms; each is stopped by SIGTERM, PostgreSQL included.`,
      'MB are of 1,048,576 bytes. The trainer environment is a stand-in, as its look-up runs beside and after the start.',
    ],
  };
}
