import { startApplication, callJson } from '../application.mjs';
import { join } from 'node:path';
import { percentile, median } from '../figures.mjs';
import { asOutside, startPostgres } from '../postgres.mjs';
import { standInTrainer } from '../stand-in.mjs';
import { root } from '../../scripts/root.mjs';

export const title = 'pages of the job list with a million jobs';
export const usage = '--jobs N (1000000) --requests N (400, of each kind)';

const PAGE = 50;
const STATUSES = ['pending', 'queued', 'running', 'completed', 'failed', 'cancelled'];
const SHALLOW = 50_000;
const WARM_UP = 50;

/**
 * Waiting and running jobs belong to nobody here: pending ones carry a wish to cancel, so that they are not admitted,
 * running ones the name of another host.
 */
const SEED = `
INSERT INTO training_jobs (job_id, trainer_type, status, config_path, output_dir, priority, created_by, base_model, total_epochs,
    current_epoch, progress_percent, adapter_path, metrics, tags, created_at, started_at, completed_at, attempt, error_message,
    cancel_requested_at, host_id, lease_until)
  SELECT gen_random_uuid(), (ARRAY['lora', 'qlora', 'continuous'])[1 + n % 3], status, 'configs/lora_config.yaml', 'models', 1 + n % 5,
    'debug-user', 'default', 3, 3, 100, '/data/models/' || n,
    CASE WHEN status = 'completed' THEN '{"final_loss": 1.25, "perplexity": 3.49, "accuracy": 0.71, "epochs_completed": 3}'::jsonb END,
    '{bench}', now() - make_interval(secs => $1 - n), now(), now(), 1,
    CASE WHEN status = 'failed' THEN repeat('The worker was ended by SIGKILL. ', 20) END,
    CASE WHEN status = 'pending' THEN now() END, CASE WHEN status = 'running' THEN 'elsewhere' END, now() + interval '1 day'
  FROM (SELECT n, (ARRAY['completed', 'completed', 'completed', 'completed', 'completed', 'completed', 'failed', 'cancelled', 'queued',
    'pending'])[1 + abs(hashint4(n)::bigint) % 10] AS drawn FROM generate_series($2::int, $3::int) AS n) AS rows,
    LATERAL (SELECT CASE WHEN n % 100 = 7 THEN 'running' ELSE drawn END AS status) AS decided`;
const CHUNK = 100_000;

async function seed(postgres, jobs, say) {
  const started = Date.now();
  for (let from = 1; from <= jobs; from += CHUNK)
    await postgres.query(SEED, [jobs, from, Math.min(jobs, from + CHUNK - 1)]);
  const seconds = (Date.now() - started) / 1000;
  await postgres.query('VACUUM ANALYZE');
  const [size] = await postgres.query(
    `SELECT pg_table_size('training_jobs')::float8 / 1048576 AS heap, pg_indexes_size('training_jobs')::float8 / 1048576 AS indexes`,
  );
  say(
    `${jobs} jobs seeded in ${seconds.toFixed(1)} s: table ${size.heap.toFixed(0)} MB, indexes ${size.indexes.toFixed(0)} MB`,
  );
  return { seconds, ...size };
}

/** The counts that the list answers must be those of the rows. */
async function checkCounts(postgres, clara) {
  const rows = await postgres.query('SELECT status, count(*)::int AS jobs FROM training_jobs GROUP BY status');
  for (const { status, jobs } of rows) {
    const { total_count } = await callJson(`${clara.url}/api/training/jobs/list?limit=1&status=${status}`);
    if (total_count !== jobs) throw new Error(`the list counts ${total_count} ${status} jobs, the table has ${jobs}`);
  }
  return Object.fromEntries(rows.map(({ status, jobs }) => [status, jobs]));
}

/** Milliseconds of each request, one after the other on a kept connection. */
async function times(clara, queries) {
  const taken = [];
  for (const [index, query] of queries.entries()) {
    const started = performance.now();
    const response = await fetch(`${clara.url}/api/training/jobs/list?limit=${PAGE}${query}`);
    const text = await response.text();
    if (!response.ok) throw new Error(`${query} answered ${response.status}: ${text}`);
    if (index >= WARM_UP) taken.push(performance.now() - started);
  }
  return taken;
}

const random = (most) => Math.floor(Math.random() * most);

const draw = (count, make) => Array.from({ length: count + WARM_UP }, make);

async function kinds(jobs, counts, requests) {
  const { encodeCursor } = await import(join(root, 'dist', 'src', 'kernel', 'paging.js'));
  const shallow = Math.min(SHALLOW, jobs - PAGE);
  const cursor = (status) =>
    draw(requests, () => `&cursor=${encodeCursor(random(jobs) + 1)}${status ? `&status=${status}` : ''}`);
  const offset = (most, status) =>
    draw(requests, () => `&offset=${random(Math.max(1, most))}${status ? `&status=${status}` : ''}`);
  return [
    { name: 'by cursor, every status', queries: cursor(), most: 20 },
    ...STATUSES.map((status) => ({ name: `by cursor, ${status}`, queries: cursor(status), most: 20 })),
    { name: `by offset up to ${shallow}, every status`, queries: offset(shallow), most: 20 },
    ...STATUSES.map((status) => ({
      name: `by offset up to ${shallow}, ${status}`,
      queries: offset(Math.min(shallow, counts[status] - PAGE), status),
      most: 20,
    })),
    {
      name: `by offset from ${shallow} to ${jobs - PAGE}`,
      queries: draw(requests / 4, () => `&offset=${shallow + random(jobs - PAGE - shallow)}`),
      most: 300,
    },
    { name: `at offset ${jobs - PAGE}`, queries: draw(requests / 8, () => `&offset=${jobs - PAGE}`), most: 300 },
    { name: 'first page', queries: draw(requests, () => ''), most: 20 },
  ];
}

/** @returns {Promise<import('../report.mjs').Result>} */
export async function run({ folder, options, say, closing }) {
  const jobs = Number(options.jobs ?? 1_000_000);
  const requests = Number(options.requests ?? 400);
  const postgres = await startPostgres(folder);
  closing(postgres.stop);
  const env = {
    ...asOutside(postgres.connection),
    ...standInTrainer(folder, 'ends'),
    CLARA_MIN_FREE_DISK_MB: '10000000',
  };
  const clara = await startApplication({ folder, env });
  closing(clara.stop);
  const size = await seed(postgres, jobs, say);
  const counts = await checkCounts(postgres, clara);
  const figures = [];
  for (const { name, queries, most } of await kinds(jobs, counts, requests)) {
    const taken = await times(clara, queries);
    const figure = {
      name: `p99 ${name}`,
      unit: 'ms',
      value: percentile(taken, 99),
      min: Math.min(...taken),
      max: Math.max(...taken),
      of: taken.length,
    };
    figures.push({ ...figure, target: { most } });
    say(
      `${name}: p50 ${median(taken).toFixed(1)} ms, p99 ${figure.value.toFixed(1)} ms, slowest ${figure.max.toFixed(1)} ms`,
    );
  }
  return { figures, setup: setupOf(jobs, counts, size) };
}

const setupOf = (jobs, counts, { seconds, heap, indexes }) => [
  `${jobs} jobs written by SQL in statements of ${CHUNK} in ${seconds.toFixed(0)} s, through the triggers that keep the counts (which were compared with count(*)), then VACUUM ANALYZE: table ${heap.toFixed(0)} MB, indexes ${indexes.toFixed(0)} MB; PostgreSQL has the 64 MB of shared buffers of the embedded one.`,
  `Rows: ${Object.entries(counts)
    .map(([status, count]) => `${count} ${status}`)
    .join(', ')}.`,
  `GET /api/training/jobs/list?limit=${PAGE} at random pages, one request after the other, ${WARM_UP} unmeasured ones first; times are those of the client. The column "median" holds the p99.`,
];
