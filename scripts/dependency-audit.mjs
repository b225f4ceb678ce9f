#!/usr/bin/env node
// Looks for known vulnerabilities in what we depend on: `dependency-audit.mjs npm`, `dependency-audit.mjs python <python>`.
// A registry that serves no advisories is no pass: then the last line is `skipped: ...`.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from './program.mjs';
import { cacheFolder, root } from './root.mjs';

const PIP_AUDIT = '2.10.1';
const GRAVE = new Set(['high', 'critical']);

/** @typedef {{found: string[]} | {skipped: string}} Verdict found: what has to be done something about */

/**
 * @param {any} report of `npm audit --json`; undefined where it is none
 * @returns {Verdict}
 */
export function judgeNpm(report) {
  if (!report?.metadata?.vulnerabilities)
    return {
      skipped: `the registry answers no advisories (${report?.statusCode ?? report?.error?.code ?? 'no answer'})`,
    };
  const grave = Object.values(report.vulnerabilities ?? {}).filter(({ severity }) => GRAVE.has(severity));
  return { found: grave.map(({ name, severity, range }) => `${name} ${range}: ${severity}`) };
}

/**
 * @param {any} report of `pip-audit --format json`; undefined where it is none
 * @returns {Verdict}
 */
export function judgePython(report) {
  const packages = report?.dependencies ?? [];
  const unknown = packages.filter((/** @type {any} */ one) => one.skip_reason).length;
  const found = packages.flatMap((/** @type {any} */ { name, version, vulns = [] }) =>
    vulns.map((/** @type {any} */ { id, fix_versions }) => `${name} ${version}: ${id}, mended in ${fix_versions}`),
  );
  if (found.length > 0) return { found };
  if (packages.length === 0) return { skipped: 'pip-audit got no answer from the index' };
  return unknown > 0
    ? { skipped: `the index has no advisories for ${unknown} of ${packages.length} packages` }
    : { found };
}

/** @param {string} output that may have lines before and behind its JSON */
export function jsonIn(output) {
  try {
    return JSON.parse(/^\{[\s\S]*\}$/m.exec(output)?.[0] ?? '');
  } catch {
    return undefined;
  }
}

/** @returns {Promise<Verdict>} */
async function auditNpm() {
  const args = ['audit', '--omit=dev', '--audit-level=high', '--json', '--fetch-retries=0', '--fetch-timeout=20000'];
  const { output } = await runProgram('npm', args, { cwd: root });
  return judgeNpm(jsonIn(output));
}

/**
 * @param {string} python that pip-audit is installed with
 * @returns {Promise<Verdict>}
 */
async function auditPython(python) {
  const folder = join(cacheFolder(), `pip-audit-${PIP_AUDIT}`);
  const program = join(folder, 'bin', 'pip-audit');
  if (!existsSync(program)) {
    await runProgram(python, ['-m', 'venv', folder]);
    const pip = join(folder, 'bin', 'python');
    const { code } = await runProgram(pip, ['-m', 'pip', 'install', '--quiet', `pip-audit==${PIP_AUDIT}`]);
    if (code !== 0) return { skipped: 'pip-audit could not be installed' };
  }
  const lock = join(root, 'trainer', 'requirements.lock');
  const args = ['--requirement', lock, '--no-deps', '--disable-pip', '--require-hashes', '--format', 'json'];
  const { output } = await runProgram(program, [...args, '--progress-spinner', 'off', '--timeout', '20']);
  return judgePython(jsonIn(output));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , ecosystem, python = 'python3'] = process.argv;
  const verdict = await (ecosystem === 'python' ? auditPython(python) : auditNpm());
  if ('skipped' in verdict) console.log(`skipped: ${verdict.skipped}`);
  else for (const line of verdict.found) console.log(line);
  if ('found' in verdict && verdict.found.length > 0) process.exitCode = 1;
}
