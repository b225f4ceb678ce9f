import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, getPriority, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { root } from '../scripts/root.mjs';

/**
 * @typedef {object} Figure
 * @property {string} name
 * @property {number} value a median where there were several runs
 * @property {string} unit
 * @property {number} [min]
 * @property {number} [max]
 * @property {number} [of] runs
 * @property {{most: number} | {least: number}} [target]
 *
 * @typedef {object} Result
 * @property {Figure[]} figures
 * @property {string[]} setup what was measured, how, and what disturbed it
 */

const RESULTS = join(root, 'bench', 'RESULTS.md');

/** @param {Figure} figure */
export function verdict({ value, target }) {
  if (!target) return '';
  return ('most' in target ? value <= target.most : value >= target.least) ? 'PASS' : 'MISS';
}

/** @param {number} value */
const digits = (value) => (Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3);
/** @param {number} value */
const show = (value) =>
  value.toFixed(Number.isInteger(value) ? 0 : digits(value)).replace(/\B(?=(\d{3})+(?!\d)(?!.*\.\d))/g, ',');

/** @param {Figure} figure */
function cells(figure) {
  const { name, value, unit, min, max, of, target } = figure;
  const range = min === undefined || max === undefined ? '' : `${show(min)} - ${show(max)}${of ? ` (${of})` : ''}`;
  const wanted = !target ? '' : 'most' in target ? `<= ${show(target.most)}` : `>= ${show(target.least)}`;
  return [name, `${show(value)} ${unit}`.trim(), range, wanted, verdict(figure)];
}

const HEAD = ['figure', 'median', 'min - max (runs)', 'target', ''];

/** @param {string[][]} rows */
function plainTable(rows) {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** @param {string[][]} rows */
const markdownTable = (rows) =>
  [HEAD, HEAD.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

/** @param {{name: string, result: Result}[]} done */
export function printResults(done) {
  const rows = done.flatMap(({ name, result }) =>
    result.figures.map((figure) => [`${name}: ${figure.name}`, ...cells(figure).slice(1)]),
  );
  console.log(`\n${plainTable([HEAD, ...rows])}\n`);
}

/** The machine as it is at the start of a benchmark. */
export function machine() {
  const [cpu] = cpus();
  const load = loadavg()[0].toFixed(2);
  const nice = getPriority() === 0 ? '' : `, all at nice ${getPriority()}`;
  const memory = Math.round(totalmem() / 1024 ** 3);
  return `${cpus().length} cores (${cpu?.model.trim() || process.arch}), ${memory} GiB, Node ${process.version}, load average ${load} at the start${nice}`;
}

function commit() {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  } catch {
    return 'no commit';
  }
}

/**
 * Puts the section of this benchmark into RESULTS.md; the one of an earlier run is replaced.
 * @param {string} name
 * @param {string} title
 * @param {Result & {command: string, machine: string}} result
 */
export function writeResults(name, title, { figures, setup, command, machine: where }) {
  const date = `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const facts = [`${date}, commit ${commit()}, ${where}.`, ...setup].map((line) => `- ${line}`).join('\n');
  const section = `## ${name}: ${title}\n\n\`${command}\`\n\n${markdownTable(figures.map(cells))}\n\n${facts}\n`;
  const before = existsSync(RESULTS)
    ? readFileSync(RESULTS, 'utf8')
    : '# Results\n\nWritten by `npm run bench -- <name> --write`.\n';
  const [head, ...sections] = before.split(/^(?=## )/m);
  const place = sections.findIndex((text) => text.startsWith(`## ${name}:`));
  if (place === -1) sections.push(section);
  else sections[place] = section;
  writeFileSync(RESULTS, [head, ...sections].map((text) => text.trim()).join('\n\n') + '\n');
}
