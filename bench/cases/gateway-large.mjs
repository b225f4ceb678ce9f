import { spread } from '../figures.mjs';
import { askSide, bodyOf, startSides } from '../gateway/sides.mjs';

export const title = 'prompts of 220 KB, 100 at once, through the gateway';
export const usage = '--rounds N (5)';

const BYTES = 220_000;
const AT_ONCE = 100;
const TIMES = 4;
const WARM_UPS = 3;
const MOST_P50_MS = 60;
const MOST_P99_MS = 100;

/** @returns {Promise<import('../report.mjs').Result>} */
export async function run({ folder, options, say, closing }) {
  const count = Number(options.rounds ?? 5);
  const sides = await startSides({ folder, closing });
  const body = bodyOf({ bytes: BYTES });
  const results = new Map(sides.map(({ name }) => [name, []]));
  // A side that has just started is still being compiled; LiteLLM's first answers take a second each.
  for (const side of sides.filter(({ name }) => name !== 'LiteLLM'))
    for (let index = 0; index < WARM_UPS; index += 1) await askSide(side, { body, atOnce: AT_ONCE, times: TIMES });
  for (let index = 0; index < count; index += 1)
    for (const side of sides) {
      const times = side.name === 'LiteLLM' ? 1 : TIMES;
      const answer = await askSide(side, { body, atOnce: AT_ONCE, times });
      results.get(side.name).push(answer);
      say(
        `${side.name}: p50 ${answer.p50.toFixed(1)}, p99 ${answer.p99.toFixed(1)} ms${answer.errors ? `, ${answer.errors} ERRORS` : ''}`,
      );
    }
  return { figures: figuresOf(results), setup: setupOf(count) };
}

function figuresOf(results) {
  const added = (name, what) =>
    spread(results.get(name).map((answer, index) => answer[what] - results.get('direct')[index][what]));
  const errors = (names) => names.flatMap((name) => results.get(name)).reduce((sum, answer) => sum + answer.errors, 0);
  return [
    { name: 'CLARA adds, p50', unit: 'ms', ...added('CLARA', 'p50'), target: { most: MOST_P50_MS } },
    { name: 'CLARA adds, p99', unit: 'ms', ...added('CLARA', 'p99'), target: { most: MOST_P99_MS } },
    { name: 'a pipe adds, p50', unit: 'ms', ...added('pipe', 'p50') },
    { name: 'a pipe adds, p99', unit: 'ms', ...added('pipe', 'p99') },
    { name: 'LiteLLM adds, p50', unit: 'ms', ...added('LiteLLM', 'p50') },
    { name: 'LiteLLM adds, p99', unit: 'ms', ...added('LiteLLM', 'p99') },
    { name: 'direct, p50', unit: 'ms', ...spread(results.get('direct').map(({ p50 }) => p50)) },
    {
      name: 'failed requests, CLARA, pipe and direct',
      unit: '',
      value: errors(['direct', 'CLARA', 'pipe']),
      target: { most: 0 },
    },
    { name: 'failed requests, LiteLLM', unit: '', value: errors(['LiteLLM']) },
  ];
}

const setupOf = (count) => [
  `${AT_ONCE} posts of ${BYTES / 1000} KB sent at the same moment, ${TIMES} times a round (LiteLLM: once) after one that opens the connections, ${WARM_UPS} rounds unmeasured (LiteLLM: none), ${count} alternating rounds; times to the last byte of each answer.`,
  'Engine, CLARA, pipe and LiteLLM as in `gateway`; the engine reads the body and parses none of it.',
];
