import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { root } from './root.mjs';

/**
 * @typedef {{passed: number, failed: number, skipped: number}} Counts
 * @typedef {{pattern?: string, coverage?: boolean}} Selection pattern: a word in the path of the test files
 */

const FOLDERS = '(src|scripts|test)/';
/** Of one test, where it names no other: it only ends what hangs, also on a busy machine. */
const TEST_MS = 120_000;

/**
 * @param {string} text
 * @returns {string} a regular expression that matches it
 */
const literally = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/**
 * Runs Jest over some layers; a suite that crashed counts as a failed test.
 * @param {{layers: string[], workers: number, minutes: number} & Selection} options minutes: it is ended after them
 * @returns {Promise<Counts>}
 */
export async function jest({ layers, workers, minutes, pattern, coverage }) {
  return withReport('jest.json', async (report) => {
    const args = [
      ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
      join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
      ...[
        '--selectProjects',
        ...layers,
        '--json',
        '--outputFile',
        report,
        '--maxWorkers',
        String(workers),
        `--testTimeout=${TEST_MS}`,
      ],
      // Only below the project: its own path may hold the word too.
      ...(pattern ? ['--testPathPatterns', `${literally(root)}/${FOLDERS}.*${literally(pattern)}`] : []),
      ...(coverage ? ['--coverage', '--coverageDirectory', join('coverage', 'application')] : []),
      '--passWithNoTests',
    ];
    const code = await runShown(process.execPath, args, { cwd: root, minutes });
    const result = JSON.parse(await readFile(report, 'utf8').catch(() => 'null'));
    if (!result) return { passed: 0, failed: 1, skipped: 0 };
    const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
    const skipped = result.numPendingTests + result.numTodoTests;
    return { passed: result.numPassedTests, failed: code === 0 ? failed : Math.max(failed, 1), skipped };
  });
}

/**
 * Runs pytest over the trainer.
 * @param {{python: string, minutes: number, coverage?: boolean}} options
 * @returns {Promise<Counts>}
 */
export async function pytest({ python, minutes, coverage }) {
  return withReport('pytest.xml', async (report) => {
    const html = join(root, 'coverage', 'trainer');
    const args = [
      ...['-m', 'pytest', '-q', '-p', 'no:cacheprovider', `--junitxml=${report}`],
      ...(coverage ? ['--cov=clara_trainer', `--cov-report=html:${html}`, '--cov-report=term:skip-covered'] : []),
    ];
    const code = await runShown(python, args, { cwd: join(root, 'trainer'), minutes });
    return countsOfJunit(await readFile(report, 'utf8').catch(() => ''), code);
  });
}

/**
 * @param {string} xml as pytest writes it; empty where it crashed
 * @param {number | null} code of pytest
 * @returns {Counts}
 */
export function countsOfJunit(xml, code) {
  const suite = /<testsuite\s[^>]*>/.exec(xml)?.[0] ?? '';
  const number = (/** @type {string} */ name) => Number(new RegExp(`\\s${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const failed = number('failures') + number('errors');
  const skipped = number('skipped');
  return { passed: number('tests') - failed - skipped, failed: code === 0 ? failed : Math.max(failed, 1), skipped };
}

/**
 * @template T
 * @param {string} name
 * @param {(path: string) => Promise<T>} work
 * @returns {Promise<T>}
 */
async function withReport(name, work) {
  const folder = await mkdtemp(join(tmpdir(), 'clara-test-'));
  try {
    return await work(join(folder, name));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Settings of the person who tests must not reach the tests; where things are installed, and with what, may.
 * @param {NodeJS.ProcessEnv} env
 */
export function testEnvironment(env) {
  const kept = ['CLARA_CACHE_DIR', 'CLARA_PYTHON'];
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('CLARA_') || kept.includes(name)));
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{cwd: string, minutes: number}} options
 * @returns {Promise<number | null>} null: ended for taking too long, or not startable
 */
function runShown(command, args, { cwd, minutes }) {
  return new Promise((resolve) => {
    // What runners print goes to stderr: the last line of stdout is the sum.
    /** @type {import('node:child_process').StdioOptions} */
    const stdio = ['ignore', process.stderr, process.stderr];
    const child = spawn(command, args, { cwd, stdio, env: testEnvironment(process.env) });
    const late = setTimeout(() => {
      console.error(`\nended after ${minutes} minutes: ${command} ${args.slice(0, 6).join(' ')} ...`);
      child.kill('SIGKILL');
    }, minutes * 60_000);
    child.once('error', () => resolve(null));
    child.once('close', (code) => {
      clearTimeout(late);
      resolve(code);
    });
  });
}
