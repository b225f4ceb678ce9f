import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONFIG, callJson, startApplication } from '../application.mjs';
import { median, spread } from '../figures.mjs';
import { PATH, seedJobs } from '../jobs.mjs';
import { generator } from '../load.mjs';
import { asPeerDatabase, installPeer, startPeer } from '../peer.mjs';
import { asOutside, startPostgres } from '../postgres.mjs';
import { alternate, WARM_UP_SECONDS } from '../rounds.mjs';
import { standInTrainer } from '../stand-in.mjs';

export const title = 'requests per second with 50 connections, against FastAPI';
export const usage = '--rounds N (5) --seconds N (8)';

const CONNECTIONS = 50;
const KNOWN_JOBS = 1000;
const REQUEST = { trainer_type: 'lora', config_path: CONFIG, dataset_path: '', priority: 3, tags: ['bench', 'http'] };

/** Finished jobs, the same rows for both; the peer's table has CLARA's columns, defaults and indexes. */
async function seed(postgres) {
  const paths = await seedJobs(postgres, KNOWN_JOBS);
  await postgres.query('CREATE SCHEMA peer');
  await postgres.query('CREATE TABLE peer.training_jobs (LIKE public.training_jobs INCLUDING ALL)');
  await postgres.query('INSERT INTO peer.training_jobs OVERRIDING SYSTEM VALUE SELECT * FROM public.training_jobs');
  await postgres.query(`SELECT setval(pg_get_serial_sequence('peer.training_jobs', 'seq'), $1)`, [KNOWN_JOBS]);
  await postgres.query('VACUUM ANALYZE');
  return paths;
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
    { name: 'CLARA', postgres, ...clara },
    { name: 'FastAPI', postgres, ...peer },
    { name: 'FastAPI in memory', postgres, ...memory },
  ];
  const get = await alternate(sides, { ...load, name: 'GET', paths }, rounds, say);
  const post = await alternate(sides, { ...load, name: 'POST', paths: [PATH], body: REQUEST }, rounds, say);
  const waiting = await waitingJob(clara);
  const behind = await alternate(sides.slice(0, 1), { ...load, name: 'GET waiting', paths: [waiting] }, 2, say);
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
