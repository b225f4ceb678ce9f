import { join } from 'node:path';
import { percentile } from '../figures.mjs';
import { startPostgres } from '../postgres.mjs';
import { root } from '../../scripts/root.mjs';

export const title = 'verification of the audit trail';
export const usage = '--rows N (100000) --rounds N (5)';

const TARGET_SECONDS = 3;
const MEBIBYTE = 1_048_576;

/** As the rows that jobs leave. */
const SEED = `
SELECT count(audit_record(jsonb_build_object('actor', gen_random_uuid(), 'action', 'training.job.create', 'outcome', 'done', 'via', 'token',
    'roles', '["trainer"]'::jsonb, 'target_type', 'training_job', 'target_id', gen_random_uuid(), 'address', '10.0.0.1',
    'request_id', gen_random_uuid(), 'detail', jsonb_build_object('trainer_type', 'lora', 'config_path', 'configs/lora_config.yaml', 'n', n))))
  FROM generate_series(1, $1::int) AS n`;

const built = (path) => import(join(root, 'dist', 'src', path));
const ignore = () => undefined;
const log = { debug: ignore, info: ignore, warn: ignore, error: console.error };

/** @param {{ folder: string, options: Record<string, any>, say: (line: string) => void, closing: (close: () => unknown) => void }} context */
export async function run({ folder, options, say, closing }) {
  const rows = Number(options.rows ?? 100_000);
  const rounds = Number(options.rounds ?? 5);
  const postgres = await startPostgres(folder);
  closing(postgres.stop);
  const { openDataSource } = await built('adapters/postgres/data-source.js');
  const source = await openDataSource(postgres.connection);
  closing(() => source.destroy());
  const { openAudit } = await built('modules/audit/audit-parts.js');
  const audit = { enabled: true, headSeconds: 60, headsDir: undefined, otherKeys: [], days: 1095 };
  const { chainer, verifier, trail } = await openAudit({ folders: { data: folder }, audit, root }, source, log);
  closing(() => trail.close(0));
  await postgres.query(SEED, [rows]);
  const linking = performance.now();
  await chainer.link();
  const linked = (performance.now() - linking) / 1000;
  await chainer.signHead();
  say(`${rows} rows linked in ${linked.toFixed(2)} s`);
  const { seconds, grown } = await verifications(verifier, { rows, rounds, say });
  return {
    figures: [
      {
        name: `verify ${rows} rows, slowest of ${rounds}`,
        unit: 's',
        value: Math.max(...seconds),
        ...(rows === 100_000 ? { target: { most: TARGET_SECONDS } } : {}),
      },
      { name: `verify ${rows} rows, median`, unit: 's', value: percentile(seconds, 50) },
      { name: 'growth of the resident memory over the verifications', unit: 'MB', value: grown },
      { name: `link ${rows} rows in one go`, unit: 's', value: linked },
    ],
    setup: [
      'Rows of 300 to 400 bytes written by SQL, linked by the chainer, one signed head; verified as the restricted role in the process of the benchmark, from the embedded PostgreSQL with its shipped settings.',
    ],
  };
}

async function verifications(verifier, { rows, rounds, say }) {
  const before = process.memoryUsage().rss;
  const seconds = [];
  for (let round = 0; round < rounds; round += 1) {
    const { ok, links, findings, ms } = await verifier.verify();
    if (!ok || links !== rows) throw new Error(`the trail is not verified: ${JSON.stringify({ links, findings })}`);
    seconds.push(ms / 1000);
    say(`verified in ${ms} ms`);
  }
  return { seconds, grown: (process.memoryUsage().rss - before) / MEBIBYTE };
}
