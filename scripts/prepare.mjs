#!/usr/bin/env node
// Makes what is missing: npm packages, the build, the PostgreSQL binaries. Uses nothing but Node itself.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, buildIsCurrent } from './build.mjs';
import { installPostgres } from './install-postgres.mjs';
import { installPackages, packagesAreInstalled } from './npm-packages.mjs';
import { oneAtATime } from './one-at-a-time.mjs';
import { orShowProblem, Problem } from './problem.mjs';
import { secondsSince } from './program.mjs';
import { cacheFolder, root } from './root.mjs';

const NODE = [20, 19];

/**
 * @param {{say?: (line: string) => void, postgres?: boolean}} [options] postgres: the embedded server is used
 * @throws Problem, PostgresInstallError
 */
export async function prepare({ say = console.log, postgres = !process.env.UDS3_POSTGRES_HOST } = {}) {
  checkNode(process.versions.node, process.execPath);
  if (!(await packagesAreInstalled(root)) || !buildIsCurrent(root)) {
    const onWait = () => say('Another process prepares this folder; waiting for it');
    await oneAtATime(join(root, 'dist', '.prepare.lock'), { onWait }, () => makeMissing(say));
  }
  if (postgres) await installPostgres({ cacheDir: cacheFolder(), onProgress: () => say('Installing PostgreSQL') });
}

/** @param {(line: string) => void} say */
async function makeMissing(say) {
  if (!(await packagesAreInstalled(root))) await timed('Installing npm packages', say, () => installPackages(root));
  if (!buildIsCurrent(root)) await timed('Building', say, () => build(root));
}

/**
 * @param {string} title
 * @param {(line: string) => void} say
 * @param {() => Promise<void>} work
 */
async function timed(title, say, work) {
  const started = Date.now();
  say(`${title} ...`);
  await work();
  say(`${title}: done in ${secondsSince(started)}`);
}

/**
 * @param {string} version
 * @param {string} path
 * @throws Problem
 */
export function checkNode(version, path) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [neededMajor = 0, neededMinor = 0] = NODE;
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return;
  throw new Problem(
    `CLARA needs Node.js ${NODE.join('.')} or newer; ${path} is ${version}. Install a newer one and call it by that path.`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await orShowProblem(() => prepare());
