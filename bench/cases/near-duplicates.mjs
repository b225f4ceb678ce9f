import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from '../../scripts/program.mjs';
import { root } from '../../scripts/root.mjs';
import { spread } from '../figures.mjs';
import { judge, makeCorpus, textOf, truthOf } from '../near-duplicates/corpus.mjs';
import { runStep } from '../near-duplicates/step.mjs';
import { installPeer } from '../peer.mjs';

export const title = 'near duplicates, beside datasketch with the same shingles';
export const usage = '--rounds N (3) --rows N (10000, of 2 kB)';

const THRESHOLD = 0.8;
const WORDS = 260;
const LONG_WORDS = 1500;
const LONG_DOCUMENTS = 2000;

/** A file of documents, one a line, with what is true of them. */
function makeFile(path, options) {
  const corpus = makeCorpus(options);
  const texts = corpus.map(({ words }) => textOf(words));
  writeFileSync(path, `${texts.join('\n')}\n`);
  const truth = truthOf(corpus);
  const characters = texts.reduce((sum, text) => sum + text.length, 0) / texts.length;
  return { path, truth, characters, documents: texts.length };
}

/** Those that can be measured: name, and how it is run over a file. */
const sidesOf = (python) => {
  const peer = (hash) => (path, answers) =>
    runProgram(python, [join(root, 'bench', 'peer', 'near_duplicates.py'), path, answers, hash]);
  const ours = (path, answers) =>
    runProgram(process.execPath, [join(root, 'bench', 'near-duplicates', 'process.mjs'), 'find', path, answers]);
  return { ours, datasketch: peer('sha1'), 'datasketch with crc32': peer('crc32') };
};

async function measure(start, file, folder) {
  const answersPath = join(folder, 'answers.json');
  const { seconds, cpuSeconds } = await runStep(() => start(file.path, answersPath));
  const answers = JSON.parse(readFileSync(answersPath, 'utf8'));
  return {
    perSecond: file.documents / seconds,
    perCpuSecond: file.documents / cpuSeconds,
    ...judge(file.truth, answers, THRESHOLD),
  };
}

/** @returns {Promise<import('../report.mjs').Result>} */
export async function run({ folder, options, say }) {
  const rounds = Number(options.rounds ?? 3);
  const sides = sidesOf(await installPeer('near-duplicates.txt'));
  const rows = Number(options.rows ?? 10_000);
  const file = makeFile(join(folder, 'documents'), { documents: rows, words: WORDS, seed: 1 });
  const long = makeFile(join(folder, 'long'), { documents: LONG_DOCUMENTS, words: LONG_WORDS, seed: 2 });
  const results = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1)
    for (const [name, start] of Object.entries(sides)) {
      const result = await measure(start, file, folder);
      results[name].push(result);
      say(`${name}: ${result.perSecond.toFixed(0)}/s, ${result.perCpuSecond.toFixed(0)} a second of CPU, recall ${result.recall.toFixed(4)}, precision ${result.precision.toFixed(4)}`); // prettier-ignore
    }
  const ofLong = await measure(sides.ours, long, folder);
  const peerOfLong = await measure(sides.datasketch, long, folder);
  return { figures: figuresOf(results, ofLong, peerOfLong), setup: setupOf(file, long) };
}

function figuresOf(results, long, peerLong) {
  const of = (name, key) => spread(results[name].map((result) => result[key]));
  const times = (name, key = 'perSecond') =>
    spread(results[name].map((result, at) => results.ours[at][key] / result[key]));
  const quality = { least: 0.95 };
  return [
    { name: 'documents a second', unit: '/s', ...of('ours', 'perSecond'), target: { least: 3000 } },
    { name: 'documents a second of CPU', unit: '/s', ...of('ours', 'perCpuSecond') },
    { name: 'datasketch, documents a second', unit: '/s', ...of('datasketch', 'perSecond') },
    { name: 'datasketch with crc32, documents a second', unit: '/s', ...of('datasketch with crc32', 'perSecond') },
    { name: 'times datasketch', unit: 'x', ...times('datasketch'), target: { least: 3 } },
    { name: 'times datasketch, by CPU', unit: 'x', ...times('datasketch', 'perCpuSecond') },
    { name: 'times datasketch with crc32', unit: 'x', ...times('datasketch with crc32') },
    { name: 'recall at 0.8', unit: '', ...of('ours', 'recall'), target: quality },
    { name: 'precision at 0.8', unit: '', ...of('ours', 'precision'), target: quality },
    { name: 'datasketch, recall', unit: '', ...of('datasketch', 'recall') },
    { name: 'datasketch, precision', unit: '', ...of('datasketch', 'precision') },
    { name: 'long documents, recall', unit: '', value: long.recall, target: quality },
    { name: 'long documents, precision', unit: '', value: long.precision, target: quality },
    { name: 'long documents, datasketch, recall', unit: '', value: peerLong.recall },
    { name: 'long documents, datasketch, precision', unit: '', value: peerLong.precision },
  ];
}

function setupOf(file, long) {
  const similar = file.truth.flatMap((others) => [...others.values()]);
  const near = similar.filter((jaccard) => Math.abs(jaccard - THRESHOLD) < 0.05).length;
  const real = file.truth.filter((others) => Math.max(0, ...others.values()) >= THRESHOLD).length;
  return [
    `${file.documents} made documents of ${file.characters.toFixed(0)} characters on the average (${long.documents} long ones of ${long.characters.toFixed(0)}), one after the other into an empty index that answers the nearest one before; one process on one core each, the reading of the file not counted.`,
    `Half of them are alone; of the ${similar.length} pairs in the others (words replaced here and there, a passage replaced, cut or added) the exact Jaccard similarity of the five-word shingles is known: ${near} lie between 0.75 and 0.85, ${real} documents have a near duplicate before them.`,
    'datasketch: MinHash(num_perm=128).update_batch, MinHashLSH with 32 bands of 4 rows, candidates verified by the signature; with its own hash (SHA-1) and with zlib.crc32, the fastest there is in Python itself.',
    'Ours counts documents of at most 512 distinct shingles exactly; longer ones are estimated by 512 + 128 numbers.',
  ];
}
