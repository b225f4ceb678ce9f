#!/usr/bin/env node
// `npm run bench -- [name…] [--write] [options]`: measures, and ends with a table. Without names: all but the largest.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machine, printResults, writeResults } from '../bench/report.mjs';
import { orShowProblem, Problem } from './problem.mjs';
import { prepare } from './prepare.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM'];
const NAMES = [
  'http',
  'security',
  'audit',
  'tls',
  'spawn',
  'list',
  'sockets',
  'start',
  'soak',
  'configs',
  'train',
  'embed',
  'serve-engine',
  'promote',
  'gpu',
  'search',
  'search-100k',
  'near-duplicates',
  'gateway',
  'gateway-large',
  'ocr',
];
/** Too large to run with the others. */
const ONLY_BY_NAME = ['near-duplicates-1m', 'search-1m'];

/** @type {import('node:util').ParseArgsConfig['options']} */
const flags = {
  write: { type: 'boolean' },
  list: { type: 'boolean' },
  /** The build in dist/ as it is. */
  'as-built': { type: 'boolean' },
  keep: { type: 'boolean' },
  ...Object.fromEntries(
    [
      'rounds',
      'seconds',
      'jobs',
      'rows',
      'starts',
      'sockets',
      'minutes',
      'pairs',
      'requests',
      'profile',
      'model',
      'steps',
      'note',
      'laws',
      'models',
      'pages',
      'tokens',
      'switches',
    ].map((name) => [name, { type: 'string' }]),
  ),
};

/** @param {string} name */
const load = (name) => import(`../bench/cases/${name}.mjs`);

async function list() {
  console.log('npm run bench -- [name…] [--write: into bench/RESULTS.md] [--as-built] [--keep] [options]\n');
  for (const name of [...NAMES, ...ONLY_BY_NAME]) {
    const { title, usage } = await load(name);
    console.log(`  ${name.padEnd(18)} ${title}${usage ? `\n                     ${usage}` : ''}`);
  }
}

/**
 * Runs one benchmark in a folder of its own; what it opened is closed, last first, however it ends.
 * @param {string} name
 * @param {Record<string, any>} options
 */
async function measure(name, options) {
  const { title, run } = await load(name);
  const folder = await mkdtemp(join(tmpdir(), `clara-bench-${name}-`));
  const closers = [];
  const cleanUp = async () => {
    for (const close of closers.splice(0))
      await Promise.resolve(close()).catch((error) => console.error(error.message));
    if (!options.keep) await rm(folder, { recursive: true, force: true });
  };
  // A detached training or a database must not outlive an interrupted measurement.
  const interrupted = () => void cleanUp().finally(() => process.exit(130));
  for (const signal of SIGNALS) process.once(signal, interrupted);
  const where = machine();
  console.log(`\n== ${name}: ${title}\n   ${where}`);
  try {
    const say = (line) => console.log(`   ${line}`);
    const result = await run({ folder, options, say, closing: (closer) => closers.unshift(closer) });
    if (options.note) result.setup.push(String(options.note));
    if (options.write) writeResults(name, title, { ...result, command: commandOf(name, options), machine: where });
    return { name, result };
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupted);
    await cleanUp();
  }
}

/** @param {string} name @param {Record<string, unknown>} options */
function commandOf(name, options) {
  const given = Object.entries(options).filter(
    ([key, value]) => typeof value === 'string' && !['profile', 'note'].includes(key),
  );
  return ['npm run bench --', name, ...given.map(([key, value]) => `--${key} ${value}`), '--write'].join(' ');
}

async function main() {
  const { values, positionals } = parseArgs({ options: flags, allowPositionals: true });
  const unknown = positionals.filter((name) => ![...NAMES, ...ONLY_BY_NAME].includes(name));
  if (unknown.length > 0)
    throw new Problem(
      `No benchmark is named ${unknown.join(', ')}; there are ${[...NAMES, ...ONLY_BY_NAME].join(', ')}`,
    );
  if (values.list) return list();
  if (!values['as-built']) await prepare();
  const done = [];
  for (const name of positionals.length > 0 ? positionals : NAMES) done.push(await measure(name, values));
  printResults(done);
}

await orShowProblem(main);
