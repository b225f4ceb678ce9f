import { join } from 'node:path';
import { CONFIG, startApplication } from '../application.mjs';
import { median, spread } from '../figures.mjs';
import { startIssuer } from '../issuer.mjs';
import { PATH, seedJobs } from '../jobs.mjs';
import { ask, askEvenly, generator } from '../load.mjs';
import { asOutside, startPostgres } from '../postgres.mjs';
import { alternate, WARM_UP_SECONDS } from '../rounds.mjs';
import { standInTrainer } from '../stand-in.mjs';

export const title = 'tokens, roles and audit against debug mode';
export const usage = '--rounds N (5) --seconds N (8)';

const CONNECTIONS = 50;
const KNOWN_JOBS = 1000;
const REQUEST = { trainer_type: 'lora', config_path: CONFIG, dataset_path: '', priority: 3, tags: ['bench', 'http'] };
const BAD_TOKENS = 2000;
const GOOD_PER_SECOND = 200;
const BAD = {
  'in a minute': (load) => askEvenly({ ...load, perSecond: 167 }),
  'at full speed': (load) => ask({ ...load, seconds: load.seconds + 2, connections: 10 }),
};
const FEWEST_BAD_A_MINUTE = 10_000;

/** One application with a database of its own, and the same jobs in it. */
async function startSide({ name, folder, env, tokens, closing }) {
  const home = join(folder, name);
  const postgres = await startPostgres(home);
  closing(postgres.stop);
  const settings = {
    ...asOutside(postgres.connection),
    ...standInTrainer(home, 'ends'),
    // No disk is large enough: the jobs wait, and no training disturbs.
    CLARA_MIN_FREE_DISK_MB: '10000000',
    CLARA_RATE_LIMIT_JOBS_PER_MINUTE: '0',
    CLARA_RATE_LIMIT_REQUESTS_PER_MINUTE: '0',
    ...env,
  };
  const application = await startApplication({ folder: home, env: settings });
  closing(application.stop);
  const paths = await seedJobs(postgres, KNOWN_JOBS);
  await postgres.query('VACUUM ANALYZE');
  return { name, postgres, paths, tokens, ...application };
}

/** How much of debug mode's rate is left. */
function comparison(name, results, least) {
  const [debug, secured] = [...results.values()];
  const ratios = secured.map(({ perSecond }, index) => perSecond / debug[index].perSecond);
  const rate = (rounds) => spread(rounds.map(({ perSecond }) => perSecond));
  const value = rate(secured).value / rate(debug).value;
  const cost = (rounds) => median(rounds.map(({ serverMs, databaseMs }) => serverMs + databaseMs));
  const errors = [...debug, ...secured].reduce((sum, round) => sum + round.errors, 0);
  return [
    { name: `${name} development / debug`, unit: 'times', ...spread(ratios), value, target: { least } },
    { name: `${name} development`, unit: '/s', ...rate(secured) },
    { name: `${name} debug`, unit: '/s', ...rate(debug) },
    { name: `${name} CPU of CLARA and PostgreSQL, development`, unit: 'ms a request', value: cost(secured) },
    { name: `${name} CPU of CLARA and PostgreSQL, debug`, unit: 'ms a request', value: cost(debug) },
    { name: `${name} failed requests`, unit: '', value: errors, target: { most: 0 } },
  ];
}

/** Good requests of a round, beside bad ones or alone. */
async function besideBad(side, { folder, seconds, bad }) {
  const { url, paths } = side;
  const good = askEvenly({ url, paths, seconds, tokens: side.tokens, perSecond: GOOD_PER_SECOND });
  const refused = bad?.({ url, paths, folder, seconds });
  const [answered, counted] = await Promise.all([good, refused]);
  if (answered.errors > 0) throw new Error(`${answered.errors} good requests failed beside bad tokens`);
  if (!counted) return { p99: answered.p99, badPerMinute: 0 };
  const sent = counted.perSecond * seconds;
  // The last answers of a round may be cut off: those the generator did not count as errors must be few.
  if (counted.errors < sent * 0.99) throw new Error(`of ${sent} bad tokens only ${counted.errors} were refused`);
  return { p99: answered.p99, badPerMinute: counted.perSecond * 60 };
}

async function floods(side, { folder, seconds, rounds, badTokens, say }) {
  const withTokens = (flood) => (load) => flood({ ...load, tokens: badTokens });
  const kinds = [['alone', undefined], ...Object.entries(BAD).map(([name, flood]) => [name, withTokens(flood)])];
  const results = new Map(kinds.map(([name]) => [name, []]));
  await besideBad(side, { folder, seconds: WARM_UP_SECONDS, bad: undefined });
  for (let index = 0; index < rounds; index += 1)
    for (const [name, bad] of kinds) {
      const result = await besideBad(side, { folder, seconds, bad });
      results.get(name).push(result);
      say(
        `good requests, bad tokens ${name}: p99 ${result.p99.toFixed(2)} ms, ${result.badPerMinute.toFixed(0)} bad a minute`,
      );
    }
  return floodFigures(results);
}

function floodFigures(results) {
  const alone = results.get('alone').map(({ p99 }) => p99);
  const figures = [{ name: 'p99 of good requests alone', unit: 'ms', ...spread(alone) }];
  for (const name of Object.keys(BAD)) {
    const rounds = results.get(name);
    const p99 = spread(rounds.map((round) => round.p99));
    const ratio = spread(rounds.map((round, index) => round.p99 / alone[index]));
    const target = name === 'in a minute' ? { target: { most: 1.5 } } : {};
    const sent = spread(rounds.map(({ badPerMinute }) => badPerMinute));
    const enough = name === 'in a minute' ? { target: { least: FEWEST_BAD_A_MINUTE } } : {};
    figures.push(
      {
        name: `p99 beside bad tokens ${name} / alone`,
        unit: 'times',
        ...ratio,
        value: p99.value / median(alone),
        ...target,
      },
      { name: `p99 beside bad tokens ${name}`, unit: 'ms', ...p99 },
      { name: `bad tokens ${name}`, unit: 'a minute', ...sent, ...enough },
    );
  }
  return figures;
}

/** A cheap POST must not be one that leaves its row out. */
async function checkAudited(postgres) {
  const [counted] = await postgres.query(
    `SELECT (SELECT count(*) FROM audit_rows)::int AS rows, (SELECT count(*) - $1 FROM training_jobs)::int AS jobs`,
    [KNOWN_JOBS],
  );
  if (counted.rows < counted.jobs) throw new Error(`${counted.jobs} jobs have only ${counted.rows} audit rows`);
}

/** @returns {Promise<import('../report.mjs').Result>} */
export async function run({ folder, options, say, closing }) {
  const rounds = Number(options.rounds ?? 5);
  const seconds = Number(options.seconds ?? 8);
  const issuer = await startIssuer();
  closing(issuer.stop);
  const debug = await startSide({ name: 'debug', folder, env: {}, tokens: [], closing });
  const secured = await startSide({
    name: 'development',
    folder,
    env: { ...issuer.env, CLARA_SECURITY_MODE: 'development' },
    tokens: [await issuer.token('trainer')],
    closing,
  });
  const open = await fetch(`${secured.url}${secured.paths[0]}`);
  if (open.status !== 401)
    throw new Error(`development mode answers ${open.status} without a token: nothing to measure`);
  const load = { folder, connections: CONNECTIONS, seconds };
  const sides = [debug, secured];
  const get = await alternate(sides, { ...load, name: 'GET', paths: debug.paths }, rounds, say);
  const post = await alternate(sides, { ...load, name: 'POST', paths: [PATH], body: REQUEST }, rounds, say);
  await checkAudited(secured.postgres);
  const badTokens = await issuer.badTokens(BAD_TOKENS);
  const flooded = await floods(secured, { folder, seconds, rounds, badTokens, say });
  return {
    figures: [...comparison('GET', get, 0.8), ...comparison('POST', post, 0.6), ...flooded],
    setup: setupOf(rounds, seconds),
  };
}

const setupOf = (rounds, seconds) => [
  `${generator}, ${CONNECTIONS} connections, one warm-up of ${WARM_UP_SECONDS} s a side, then ${rounds} alternating rounds of ${seconds} s; servers, PostgreSQL and generator share the cores, nothing is pinned.`,
  `Both sides: the built application, each with a PostgreSQL of its own and the same ${KNOWN_JOBS} finished jobs; the limits on requests and on jobs a minute are off, everything else is as it comes.`,
  'development: one RS256 token (2048 bits) of a trainer from an issuer on loopback, its roles, the audit trail; every POST has its audit row, which is counted. debug: no token, no audit trail.',
  `Bad tokens: ${BAD_TOKENS} different ones, in equal parts signed by another key, of an unknown key, expired, for another audience, and not even a token; from the same address as the good requests, which come at an even ${GOOD_PER_SECOND} a second and whose times count from when they were due, after two seconds that do not count. All of them were refused (401, or 429 above the limit of failed tokens) and all good ones answered.`,
];
