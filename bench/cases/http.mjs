import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CONFIG, callJson, startApplication } from '../application.mjs';
import { median, spread } from '../figures.mjs';
import { ask, generator } from '../load.mjs';
import { asPeerDatabase, installPeer, startPeer } from '../peer.mjs';
import { asOutside, startPostgres } from '../postgres.mjs';
import { cpuSeconds, familyOf } from '../processes.mjs';
import { standInTrainer } from '../stand-in.mjs';

export const title = 'requests per second with 50 connections, against FastAPI';
export const usage = '--rounds N (5) --seconds N (8)';

const CONNECTIONS = 50;
const KNOWN_JOBS = 1000;
const WARM_UP_SECONDS = 4;
const SETTLE_DEADLINE_MS = 120_000;
const PATH = '/api/training/jobs';
const REQUEST = { trainer_type: 'lora', config_path: CONFIG, dataset_path: '', priority: 3, tags: ['bench', 'http'] };

const METRICS = {
  final_loss: 1.25,
  perplexity: 3.49,
  accuracy: 0.71,
  epochs_completed: 3,
  eval_loss_before: 2.5,
  eval_loss_after: 1.3,
};

/** Finished jobs, the same rows for both; the peer's table has CLARA's columns, defaults and indexes. */
async function seed(postgres) {
  await postgres.query(
    `INSERT INTO training_jobs (job_id, trainer_type, status, config_path, output_dir, priority, created_by, base_model, total_epochs,
        current_epoch, progress_percent, adapter_path, metrics, tags, started_at, completed_at, attempt, current_step, total_steps)
      SELECT gen_random_uuid(), 'lora', 'completed', 'configs/lora_config.yaml', 'models', 3, 'debug-user', 'default', 3,
        3, 100, '/data/models/adapter', $1::jsonb, '{bench,http}', now(), now(), 1, 120, 120 FROM generate_series(1, $2::int)`,
    [JSON.stringify(METRICS), KNOWN_JOBS],
  );
  await postgres.query('CREATE SCHEMA peer');
  await postgres.query('CREATE TABLE peer.training_jobs (LIKE public.training_jobs INCLUDING ALL)');
  await postgres.query('INSERT INTO peer.training_jobs OVERRIDING SYSTEM VALUE SELECT * FROM public.training_jobs');
  await postgres.query(`SELECT setval(pg_get_serial_sequence('peer.training_jobs', 'seq'), $1)`, [KNOWN_JOBS]);
  await postgres.query('VACUUM ANALYZE');
  return (await postgres.query('SELECT job_id FROM training_jobs')).map(({ job_id }) => `${PATH}/${job_id}`);
}

/** What CLARA does after its answer (admitting to the queue, numbering events) must not disturb the next round. */
async function settle(postgres) {
  const started = Date.now();
  while (Date.now() - started < SETTLE_DEADLINE_MS) {
    const [{ left }] = await postgres.query(
      `SELECT ((SELECT count(*) FROM training_jobs WHERE status = 'pending') +
        (SELECT count(*) FROM training_job_events WHERE stream IS NULL))::int AS left`,
    );
    if (left === 0) return Date.now() - started;
    await sleep(50);
  }
  throw new Error('CLARA did not finish what it took on');
}

/** One side, one round: requests per second, and the CPU a request costs in the server and in PostgreSQL. */
async function round(side, load, postgres) {
  const pids = () => ({ server: familyOf(side.pid), database: postgres.pids() });
  const before = Object.values(pids()).map(cpuSeconds);
  const answered = await ask({ ...load, url: side.url, paths: side.paths?.(load) ?? load.paths });
  const settledMs = await settle(postgres);
  const after = Object.values(pids()).map(cpuSeconds);
  const requests = answered.perSecond * load.seconds;
  const [serverMs, databaseMs] = after.map(
    (seconds, index) => (Math.max(0, seconds - before[index]) * 1000) / requests,
  );
  return { ...answered, serverMs, databaseMs, settledMs };
}

/** A B C A B C ..., after one warm-up each. */
async function alternate(sides, load, rounds, postgres, say) {
  for (const side of sides) await round(side, { ...load, seconds: WARM_UP_SECONDS }, postgres);
  const results = new Map(sides.map(({ name }) => [name, []]));
  for (let index = 0; index < rounds; index += 1)
    for (const side of sides) {
      const result = await round(side, load, postgres);
      results.get(side.name).push(result);
      const { perSecond, p99, serverMs, databaseMs, errors, settledMs } = result;
      say(
        `${load.name} ${side.name}: ${perSecond.toFixed(0)}/s, p99 ${p99.toFixed(1)} ms, CPU ${serverMs.toFixed(2)} + ` +
          `${databaseMs.toFixed(2)} ms a request${errors ? `, ${errors} ERRORS` : ''}${settledMs > 100 ? `, settled in ${settledMs} ms` : ''}`,
      );
    }
  return results;
}

function figuresOf(name, results, least) {
  const [clara, peer, memory] = [...results.values()];
  const rate = (rounds) => spread(rounds.map(({ perSecond }) => perSecond));
  const ratios = clara.map(({ perSecond }, index) => perSecond / peer[index].perSecond);
  const ratio = {
    ...spread(ratios),
    value: median(clara.map((r) => r.perSecond)) / median(peer.map((r) => r.perSecond)),
  };
  const cost = (rounds) => median(rounds.map(({ serverMs, databaseMs }) => serverMs + databaseMs));
  const errors = [...results.values()].flat().reduce((sum, round) => sum + round.errors, 0);
  return [
    { name: `${name} CLARA / FastAPI + SQLAlchemy + asyncpg`, unit: 'times', ...ratio, target: { least } },
    { name: `${name} CLARA`, unit: '/s', ...rate(clara) },
    { name: `${name} FastAPI + SQLAlchemy + asyncpg`, unit: '/s', ...rate(peer) },
    ...(memory ? [{ name: `${name} FastAPI in memory`, unit: '/s', ...rate(memory) }] : []),
    { name: `${name} CLARA p99`, unit: 'ms', ...spread(clara.map(({ p99 }) => p99)) },
    { name: `${name} FastAPI p99`, unit: 'ms', ...spread(peer.map(({ p99 }) => p99)) },
    { name: `${name} CPU of CLARA and PostgreSQL`, unit: 'ms a request', value: cost(clara) },
    { name: `${name} CPU of FastAPI and PostgreSQL`, unit: 'ms a request', value: cost(peer) },
    { name: `${name} failed requests`, unit: '', value: errors, target: { most: 0 } },
  ];
}

/** A job that waits also shows its place in the queue, which the peer does not know. */
async function waitingJob(clara) {
  const { job_id } = await callJson(`${clara.url}${PATH}`, { method: 'POST', body: REQUEST });
  return `${PATH}/${job_id}`;
}

async function measure({ clara, peer, memory, postgres, paths, folder, rounds, seconds, say }) {
  const load = { folder, connections: CONNECTIONS, seconds };
  const sides = [
    { name: 'CLARA', ...clara },
    { name: 'FastAPI', ...peer },
    { name: 'FastAPI in memory', ...memory },
  ];
  const get = await alternate(sides, { ...load, name: 'GET', paths }, rounds, postgres, say);
  const post = await alternate(sides, { ...load, name: 'POST', paths: [PATH], body: REQUEST }, rounds, postgres, say);
  const waiting = await waitingJob(clara);
  const behind = await alternate(
    sides.slice(0, 1),
    { ...load, name: 'GET waiting', paths: [waiting] },
    2,
    postgres,
    say,
  );
  const slow = spread(behind.get('CLARA').map(({ perSecond }) => perSecond));
  return [
    ...figuresOf('GET', get, 1.5),
    ...figuresOf('POST', post, 1),
    { name: 'GET of a job far back in the queue, CLARA', unit: '/s', ...slow },
  ];
}

/** @returns {Promise<import('../report.mjs').Result>} */
export async function run({ folder, options, say, closing }) {
  const rounds = Number(options.rounds ?? 5);
  const seconds = Number(options.seconds ?? 8);
  const python = await installPeer();
  const postgres = await startPostgres(folder);
  closing(postgres.stop);
  const outside = asOutside(postgres.connection);
  // No disk is large enough: the jobs wait, and no training disturbs.
  const env = { ...outside, ...standInTrainer(folder, 'ends'), CLARA_MIN_FREE_DISK_MB: '10000000' };
  const clara = await startApplication({
    folder,
    env,
    flags: options.profile ? ['--cpu-prof', `--cpu-prof-dir=${options.profile}`] : [],
  });
  closing(clara.stop);
  const paths = await seed(postgres);
  const jobs = [];
  for (const path of paths) jobs.push(await callJson(`${clara.url}${path}`));
  writeFileSync(join(folder, 'jobs.json'), JSON.stringify(jobs.map(({ data }) => data)));
  const peer = await startPeer({ app: 'database', python, folder, env: asPeerDatabase(postgres.connection) });
  closing(peer.stop);
  const memory = await startPeer({ app: 'memory', python, folder, env: { PEER_JOBS: join(folder, 'jobs.json') } });
  closing(memory.stop);
  const figures = await measure({ clara, peer, memory, postgres, paths, folder, rounds, seconds, say });
  return { figures, setup: setupOf(rounds, seconds) };
}

const setupOf = (rounds, seconds) => [
  `${generator}, ${CONNECTIONS} connections, one warm-up of ${WARM_UP_SECONDS} s a side, then ${rounds} alternating rounds of ${seconds} s; servers, PostgreSQL and generator share the cores, nothing is pinned.`,
  `Both sides: one process, the same PostgreSQL server over its Unix socket (fsync on), a pool of 12 connections, a table with the same columns, defaults and indexes, GET over the same ${KNOWN_JOBS} finished jobs in turn, INSERT committed before the answer.`,
  'CLARA: the built application in debug mode with its ordinary guards and pipes. Its POST also reads and checks the YAML configuration and the data file, writes the resolved configuration and a numbered event, keeps the counts, and admits the job to the queue; the peer inserts one row. What CLARA still does after its answers is waited for outside of the rounds and counted as CPU.',
  'FastAPI: uvicorn[standard] without an access log, async routes, pydantic models of the same shape, SQLAlchemy 2 with asyncpg.',
];
