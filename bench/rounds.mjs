import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from './load.mjs';
import { cpuSeconds, familyOf } from './processes.mjs';

/** @typedef {{name: string, url: string, pid: number, postgres: any, tokens?: string[]}} Side a server and its database */

export const WARM_UP_SECONDS = 4;
const SETTLE_DEADLINE_MS = 120_000;

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
async function round(side, load) {
  const { postgres } = side;
  const pids = () => ({ server: familyOf(side.pid), database: postgres.pids() });
  const before = Object.values(pids()).map(cpuSeconds);
  const answered = await ask({ ...load, url: side.url, tokens: side.tokens });
  const settledMs = await settle(postgres);
  const after = Object.values(pids()).map(cpuSeconds);
  const requests = answered.perSecond * load.seconds;
  const [serverMs, databaseMs] = after.map(
    (seconds, index) => (Math.max(0, seconds - before[index]) * 1000) / requests,
  );
  return { ...answered, serverMs, databaseMs, settledMs };
}

/**
 * A B C A B C ..., after one warm-up each.
 * @param {Side[]} sides
 * @param {Omit<import('./load.mjs').Load, 'url'> & {name: string}} load
 * @param {number} rounds
 * @param {(line: string) => void} say
 */
export async function alternate(sides, load, rounds, say) {
  for (const side of sides) await round(side, { ...load, seconds: WARM_UP_SECONDS });
  const results = new Map(sides.map(({ name }) => [name, []]));
  for (let index = 0; index < rounds; index += 1)
    for (const side of sides) {
      const result = await round(side, load);
      results.get(side.name).push(result);
      const { perSecond, p99, serverMs, databaseMs, errors, settledMs } = result;
      say(
        `${load.name} ${side.name}: ${perSecond.toFixed(0)}/s, p99 ${p99.toFixed(1)} ms, CPU ${serverMs.toFixed(2)} + ` +
          `${databaseMs.toFixed(2)} ms a request${errors ? `, ${errors} ERRORS` : ''}${settledMs > 100 ? `, settled in ${settledMs} ms` : ''}`,
      );
    }
  return results;
}
