#!/usr/bin/env node
// `npm test`: everything. `-- WORD`: the tests of one module. `-- --coverage`: HTML under coverage/. `--peers`: real servers.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { check } from './check.mjs';
import { prepare } from './prepare.mjs';
import { orShowProblem } from './problem.mjs';
import { secondsSince } from './program.mjs';
import { findPython, installTrainer } from './python.mjs';
import { root } from './root.mjs';
import { jest, pytest } from './suites.mjs';

/** @typedef {{name: string, run: () => Promise<{passed: number, failed: number, skipped?: number}>}} Suite */

/**
 * What to run, in order. The layers that start servers and trainings run alone, one file at a time: their deadlines are real.
 * @param {{python: string, word: string | undefined, coverage: boolean, peers: boolean}} options
 * @returns {Suite[]}
 */
function suites({ python, word, coverage, peers }) {
  const selection = { ...(word ? { pattern: word } : {}), coverage };
  /** @type {(name: string, layers: string[], workers: number, minutes: number) => Suite} */
  const layer = (name, layers, workers, minutes) => ({
    name,
    run: () => jest({ layers, workers, minutes, ...selection }),
  });
  if (peers) return [layer('peers', ['peers'], 1, 45)];
  const trainer = { name: 'trainer', run: () => pytest({ python, minutes: 25, coverage }) };
  // One coverage report needs one run, and a few files are quicker in one.
  const application =
    coverage || word
      ? [layer('application', ['unit', 'contract', 'medium', 'e2e'], 1, 60)]
      : [
          layer('unit and contract', ['unit', 'contract'], 2, 10),
          layer('medium', ['medium'], 1, 25),
          layer('e2e', ['e2e'], 1, 40),
        ];
  if (word) return word === 'trainer' ? [trainer, ...application] : application;
  return [{ name: 'check', run: () => check({ python, fix: false }) }, ...application, trainer];
}

/** @param {Suite[]} chosen */
async function runAll(chosen) {
  const lines = [];
  let passed = 0;
  let failed = 0;
  for (const { name, run } of chosen) {
    console.log(`\n=== ${name} ===`);
    const started = Date.now();
    const counts = await run();
    lines.push(
      `${name}: ${counts.passed} ok, ${counts.failed} not ok, ${counts.skipped ?? 0} left out (${secondsSince(started)})`,
    );
    passed += counts.passed;
    failed += counts.failed;
  }
  console.log(`\n${lines.join('\n')}`);
  return { passed, failed };
}

await orShowProblem(async () => {
  const { values, positionals } = parseArgs({
    options: { coverage: { type: 'boolean', default: false }, peers: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  await prepare();
  const python = await installTrainer({ python: await findPython(), dev: true, say: console.log });
  const result = await runAll(suites({ python, word: positionals[0], ...values }));
  const pages = ['application', 'trainer'].map((name) => join('coverage', name, 'index.html'));
  if (values.coverage) console.log(`Coverage: ${pages.filter((path) => existsSync(join(root, path))).join(', ')}`);
  const [word = '.spec.ts'] = positionals;
  if (result.passed + result.failed === 0) console.log(`No test has "${word}" in its path.`);
  // A run that tested nothing has not passed.
  const failed = result.passed === 0 ? Math.max(result.failed, 1) : result.failed;
  if (failed > 0) process.exitCode = 1;
  console.log(`\n${result.passed} passed, ${failed} failed`);
});
