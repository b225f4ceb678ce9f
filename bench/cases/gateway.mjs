import { spread } from '../figures.mjs';
import { askSide, bodyOf, startSides } from '../gateway/sides.mjs';

export const title = 'what the gateway adds to an engine that answers at once, against LiteLLM and a pipe';
export const usage = '--rounds N (3) --seconds N (4)';

const RATE = 500;
const MOST_P50_MS = 1.5;
const MOST_P99_MS = 6;
const LEAST_TIMES = 5;
/** The highest rate is looked for between these, a second. */
const LOWEST_RATE = 10;
const HIGHEST_RATE = 800;
const BISECTIONS = 2;
const PROBE_SECONDS = 2;
/** Half of the answers later than this is a queue that grows. */
const SUSTAINED_P50_MS = 50;

const KINDS = [
  { kind: 'whole', stream: false },
  { kind: 'streaming', stream: true },
];

/** The highest rate without an error at which it keeps up: doubled until it does not, then halved between the two. */
async function sustained(side, body, say) {
  const holds = async (perSecond) => {
    const answer = await askSide(side, { body, perSecond, seconds: PROBE_SECONDS });
    say(`${side.name} at ${perSecond}/s: p50 ${answer.p50.toFixed(1)} ms, ${answer.errors} errors`);
    return answer.errors === 0 && answer.p50 < SUSTAINED_P50_MS;
  };
  let low = LOWEST_RATE;
  let high = low * 2;
  while (high < HIGHEST_RATE && (await holds(high))) [low, high] = [high, Math.min(HIGHEST_RATE, high * 2)];
  for (let step = 0; step < BISECTIONS; step += 1) {
    const middle = Math.round((low + high) / 2);
    if (await holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Alternating rounds; each side's time is compared with the engine's at the same rate in the same round. */
async function rounds(lanes, { body, seconds, count, say }) {
  const results = new Map(lanes.map(({ key }) => [key, []]));
  for (let index = 0; index < count; index += 1)
    for (const { key, side, perSecond } of lanes) {
      const answer = await askSide(side, { body, perSecond, seconds });
      results.get(key).push(answer);
      const failed = answer.errors ? `, ${answer.errors} ERRORS` : '';
      say(`${key} at ${perSecond}/s: p50 ${answer.p50.toFixed(2)}, p99 ${answer.p99.toFixed(2)} ms${failed}`);
    }
  return results;
}

const added = (results, base, key, what) =>
  spread(results.get(key).map((answer, index) => answer[what] - results.get(base)[index][what]));

function figuresOf(kind, results, rates) {
  const errors = [...results.values()].flat().reduce((sum, answer) => sum + answer.errors, 0);
  const clara = { p50: added(results, 'direct', 'CLARA', 'p50'), p99: added(results, 'direct', 'CLARA', 'p99') };
  const top = added(results, 'direct at its highest', 'CLARA at its highest', 'p50');
  const same = added(results, "direct at LiteLLM's", "CLARA at LiteLLM's", 'p50');
  const lite = added(results, "direct at LiteLLM's", 'LiteLLM', 'p50');
  const times = (other) => lite.value / Math.max(other.value, 0.01);
  const ms = (name, figure, target) => ({ name: `${kind}: ${name}`, unit: 'ms', ...figure, ...(target && { target }) });
  return [
    ms('CLARA adds, p50', clara.p50, { most: MOST_P50_MS }),
    ms('CLARA adds, p99', clara.p99, { most: MOST_P99_MS }),
    ms('a pipe adds, p50', added(results, 'direct', 'pipe', 'p50')),
    ms('a pipe adds, p99', added(results, 'direct', 'pipe', 'p99')),
    { name: `${kind}: highest rate of CLARA`, unit: '/s', value: rates.clara },
    { name: `${kind}: highest rate of LiteLLM`, unit: '/s', value: rates.lite },
    ms('CLARA adds at its highest rate, p50', top),
    ms('LiteLLM adds at its highest rate, p50', lite),
    ms('LiteLLM adds at its highest rate, p99', added(results, "direct at LiteLLM's", 'LiteLLM', 'p99')),
    ms("CLARA adds at LiteLLM's rate, p50", same),
    {
      name: `${kind}: LiteLLM's overhead / CLARA's, each at its highest rate`,
      unit: 'times',
      value: times(top),
      target: { least: LEAST_TIMES },
    },
    { name: `${kind}: LiteLLM's overhead / CLARA's, at LiteLLM's rate`, unit: 'times', value: times(same) },
    ms('direct, p50', spread(results.get('direct').map(({ p50 }) => p50))),
    { name: `${kind}: failed requests`, unit: '', value: errors, target: { most: 0 } },
  ];
}

/** @param {any[]} sides @param {{clara: number, lite: number}} rates */
const lanesOf = ([direct, clara, pipe, lite], rates) => [
  { key: 'direct', side: direct, perSecond: RATE },
  { key: 'CLARA', side: clara, perSecond: RATE },
  { key: 'pipe', side: pipe, perSecond: RATE },
  { key: 'direct at its highest', side: direct, perSecond: rates.clara },
  { key: 'CLARA at its highest', side: clara, perSecond: rates.clara },
  { key: "direct at LiteLLM's", side: direct, perSecond: rates.lite },
  { key: "CLARA at LiteLLM's", side: clara, perSecond: rates.lite },
  { key: 'LiteLLM', side: lite, perSecond: rates.lite },
];

/** @returns {Promise<import('../report.mjs').Result>} */
export async function run({ folder, options, say, closing }) {
  const count = Number(options.rounds ?? 3);
  const seconds = Number(options.seconds ?? 4);
  const sides = await startSides({ folder, closing });
  const figures = [];
  for (const { kind, stream } of KINDS) {
    const body = bodyOf({ stream });
    for (const side of sides) await askSide(side, { body, perSecond: 50, seconds: 2 });
    const rates = { lite: await sustained(sides[3], body, say), clara: await sustained(sides[1], body, say) };
    figures.push(...figuresOf(kind, await rounds(lanesOf(sides, rates), { body, seconds, count, say }), rates));
  }
  return { figures, setup: setupOf(count, seconds) };
}

const setupOf = (count, seconds) => [
  `Posts at an even ${RATE} a second from a process of its own, times from when each was due to its last byte, two seconds unmeasured, ${count} alternating rounds of ${seconds} s; engine, gateway, PostgreSQL and generator share the cores, nothing is pinned.`,
  'Engine: a Node process that answers at once, nine events or one JSON; "adds" is the difference to asking it directly at the same rate in the same round.',
  `Highest rate: without an error and with half of the answers within ${SUSTAINED_P50_MS} ms, looked for from ${LOWEST_RATE} to ${HIGHEST_RATE} a second by doubling and ${BISECTIONS} halvings, the same for both.`,
  'CLARA: the built application in debug mode, one replica by address. pipe: a Node process that pipes both ways. LiteLLM: its proxy from PyPI, one worker, one model, no database, telemetry and logs off.',
];
