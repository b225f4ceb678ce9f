import { spread } from '../figures.mjs';
import { askSide, bodyOf, startSides } from '../gateway/sides.mjs';

export const title = 'what the gateway adds to an engine that answers at once, against LiteLLM and a pipe';
export const usage = '--rounds N (5) --seconds N (6)';

const RATE = 500;
/** Rates at which LiteLLM is tried, highest first: it is measured at the first that it sustains. */
const LOWER_RATES = [200, 100, 50, 25];
const MOST_P50_MS = 1.5;
const MOST_P99_MS = 6;
const LEAST_TIMES = 5;
/** Later than this on average is a queue that grows. */
const SUSTAINED_P50_MS = 250;

const KINDS = [
  { kind: 'whole', stream: false },
  { kind: 'streaming', stream: true },
];

/** The highest rate without an error at which it keeps up. */
async function sustained(side, body, say) {
  for (const perSecond of LOWER_RATES) {
    const answer = await askSide(side, { body, perSecond, seconds: 4 });
    say(`${side.name} at ${perSecond}/s: p50 ${answer.p50.toFixed(1)} ms, ${answer.errors} errors`);
    if (answer.errors === 0 && answer.p50 < SUSTAINED_P50_MS) return perSecond;
  }
  return LOWER_RATES.at(-1);
}

/** Alternating rounds; each side's time is compared with the engine's in the same round. */
async function rounds(sides, { body, seconds, count, rates, say }) {
  const results = new Map(sides.map(({ name }) => [name, []]));
  for (let index = 0; index < count; index += 1)
    for (const side of sides) {
      const perSecond = rates.get(side.name) ?? RATE;
      const answer = await askSide(side, { body, perSecond, seconds });
      results.get(side.name).push(answer);
      say(
        `${side.name} at ${perSecond}/s: p50 ${answer.p50.toFixed(2)}, p99 ${answer.p99.toFixed(2)} ms${answer.errors ? `, ${answer.errors} ERRORS` : ''}`,
      );
    }
  return results;
}

const added = (results, base, name, what) =>
  spread(results.get(name).map((answer, index) => answer[what] - results.get(base)[index][what]));

function figuresOf(kind, results, rate) {
  const errors = [...results.values()].flat().reduce((sum, answer) => sum + answer.errors, 0);
  const clara = { p50: added(results, 'direct', 'CLARA', 'p50'), p99: added(results, 'direct', 'CLARA', 'p99') };
  const lite = added(results, 'direct at that rate', 'LiteLLM', 'p50');
  return [
    { name: `${kind}: CLARA adds, p50`, unit: 'ms', ...clara.p50, target: { most: MOST_P50_MS } },
    { name: `${kind}: CLARA adds, p99`, unit: 'ms', ...clara.p99, target: { most: MOST_P99_MS } },
    { name: `${kind}: a pipe adds, p50`, unit: 'ms', ...added(results, 'direct', 'pipe', 'p50') },
    { name: `${kind}: a pipe adds, p99`, unit: 'ms', ...added(results, 'direct', 'pipe', 'p99') },
    { name: `${kind}: LiteLLM adds at ${rate}/s, p50`, unit: 'ms', ...lite },
    {
      name: `${kind}: LiteLLM adds at ${rate}/s, p99`,
      unit: 'ms',
      ...added(results, 'direct at that rate', 'LiteLLM', 'p99'),
    },
    {
      name: `${kind}: LiteLLM's overhead / CLARA's, p50`,
      unit: 'times',
      value: lite.value / Math.max(clara.p50.value, 0.01),
      target: { least: LEAST_TIMES },
    },
    { name: `${kind}: direct, p50`, unit: 'ms', ...spread(results.get('direct').map(({ p50 }) => p50)) },
    { name: `${kind}: failed requests`, unit: '', value: errors, target: { most: 0 } },
  ];
}

/** @returns {Promise<import('../report.mjs').Result>} */
export async function run({ folder, options, say, closing }) {
  const count = Number(options.rounds ?? 5);
  const seconds = Number(options.seconds ?? 6);
  const sides = await startSides({ folder, closing });
  const lite = sides.find(({ name }) => name === 'LiteLLM');
  const figures = [];
  for (const { kind, stream } of KINDS) {
    const body = bodyOf({ stream });
    for (const side of sides) await askSide(side, { body, perSecond: 50, seconds: 2 });
    const rate = await sustained(lite, body, say);
    const all = [...sides, { ...sides[0], name: 'direct at that rate' }];
    const rates = new Map([
      ['LiteLLM', rate],
      ['direct at that rate', rate],
    ]);
    figures.push(...figuresOf(kind, await rounds(all, { body, seconds, count, rates, say }), rate));
  }
  return { figures, setup: setupOf(count, seconds) };
}

const setupOf = (count, seconds) => [
  `Posts at an even ${RATE} a second from a process of its own, times from when each was due to its last byte, two seconds unmeasured, ${count} alternating rounds of ${seconds} s; engine, gateway, PostgreSQL and generator share the cores, nothing is pinned.`,
  'Engine: a Node process that answers at once, nine events or one JSON; "adds" is the difference to asking it directly in the same round.',
  'CLARA: the built application in debug mode, one replica by address. pipe: a Node process that pipes both ways. LiteLLM: its proxy from PyPI, one worker, one model, no database, telemetry and logs off, at the highest rate that it sustains without an error.',
];
