import { join } from 'node:path';
import { runProgram } from '../../scripts/program.mjs';
import { root } from '../../scripts/root.mjs';
import { runStep } from '../near-duplicates/step.mjs';

export const title = 'an index of a million near-duplicate signatures: memory, and the time of a restart';
export const usage = '--rows N (1000000, of 2 kB)';

const MOST_MB = 4096;

/** @returns {Promise<import('../report.mjs').Result>} */
export async function run({ folder, options, say }) {
  const rows = String(options.rows ?? 1_000_000);
  const path = join(folder, 'index');
  const script = join(root, 'bench', 'near-duplicates', 'process.mjs');
  const step = (name) => runStep(() => runProgram(process.execPath, [script, name, rows, path]));
  const built = await step('build');
  say(`built: ${JSON.stringify(built)}`);
  const loaded = await step('load');
  say(`loaded: ${JSON.stringify(loaded)}`);
  if (loaded.documents !== Number(rows)) throw new Error(`${loaded.documents} of ${rows} documents came back`);
  return {
    figures: [
      {
        name: 'documents a second while it grows',
        unit: '/s',
        value: Number(rows) / built.seconds,
        target: { least: 3000 },
      },
      { name: 'slowest single add', unit: 'ms', value: built.slowestMs },
      {
        name: 'memory of the process that builds and saves, at most',
        unit: 'MB',
        value: built.memoryMb,
        target: { most: MOST_MB },
      },
      { name: 'typed arrays of the index', unit: 'MB', value: built.arraysMb },
      { name: 'file', unit: 'MB', value: built.fileMb },
      { name: 'saving', unit: 's', value: built.saveSeconds },
      { name: 'restart: reading the file until it answers', unit: 's', value: loaded.seconds },
      { name: 'memory after the restart, at most', unit: 'MB', value: loaded.memoryMb, target: { most: MOST_MB } },
      { name: 'p99 of a question', unit: 'ms', value: loaded.p99Ms },
    ],
    setup: [
      `${rows} made documents of ${(built.characters / Number(rows)).toFixed(0)} characters on the average with UUIDs as names, each made when it is added (the making is not counted); memory is the largest resident set of the whole Node process.`,
      'After the restart 2,000 of the documents are asked for; each must be found.',
    ],
  };
}
