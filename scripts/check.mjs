#!/usr/bin/env node
// `npm run check`: types, lint, format, architecture, dead code, generated files, secrets, known vulnerabilities. `-- --fix` mends what it can.
import { fileURLToPath } from 'node:url';
import { checkSteps } from './check-steps.mjs';
import { prepare } from './prepare.mjs';
import { orShowProblem } from './problem.mjs';
import { lastLines, runProgram, secondsSince } from './program.mjs';
import { findPython, installTrainer } from './python.mjs';
import { root } from './root.mjs';

const AT_ONCE = 2;
const SHOWN_LINES = 60;
const shown = { passed: 'ok    ', failed: 'FAILED', skipped: '--    ' };

/**
 * Runs all steps, two at a time, and shows what failed.
 * @param {{python: string, fix: boolean}} options python: of the trainer's environment
 * @returns {Promise<{passed: number, failed: number, skipped: number}>} steps
 */
export async function check({ python, fix }) {
  const waiting = checkSteps(python);
  const failed = [];
  let passed = 0;
  let skipped = 0;
  const work = async () => {
    for (let step = waiting.shift(); step; step = waiting.shift()) {
      const { outcome, problem } = await runStep(step, fix);
      if (outcome === 'passed') passed++;
      else if (outcome === 'skipped') skipped++;
      else failed.push({ name: step.name, problem });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  for (const { name, problem } of failed) console.log(`\n--- ${name} ---\n${problem}`);
  return { passed, failed: failed.length, skipped };
}

/**
 * @param {import('./check-steps.mjs').Step} step
 * @param {boolean} fix
 * @returns {Promise<{outcome: 'passed' | 'failed' | 'skipped', problem: string}>}
 */
async function runStep({ name, command, args, fix: mend, cwd = root }, fix) {
  const started = Date.now();
  const { code, output } = await runProgram(command, fix && mend ? mend : args, { cwd });
  const skipped = /^skipped: .*$/m.exec(lastLines(output, 1))?.[0];
  const outcome = code !== 0 ? 'failed' : skipped ? 'skipped' : 'passed';
  console.log(`${shown[outcome]} ${name} (${secondsSince(started)})${outcome === 'skipped' ? ` ${skipped}` : ''}`);
  return { outcome, problem: lastLines(output, SHOWN_LINES) };
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await orShowProblem(async () => {
    await prepare({ postgres: false });
    const python = await installTrainer({ python: await findPython(), dev: true, say: console.log });
    const { passed, failed, skipped } = await check({ python, fix: process.argv.includes('--fix') });
    console.log(`\n${passed} steps passed, ${failed} failed, ${skipped} skipped`);
    if (failed > 0) process.exitCode = 1;
  });
