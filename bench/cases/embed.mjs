import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { builtModule } from '../../scripts/built-module.mjs';
import { findPython, installTrainer } from '../../scripts/python.mjs';
import { root } from '../../scripts/root.mjs';
import { cleanEnvironment } from '../application.mjs';
import { installEmbedPeer } from '../embed/packages.mjs';
import { median, percentile, spread } from '../figures.mjs';
import { residentMb } from '../processes.mjs';

export const title = 'texts a second of the embedding worker, against encode() of sentence-transformers';
export const usage = '--rounds N (5) --rows N (96)';

const THREADS = Math.min(4, cpus().length);
const BATCHES = [4, 16, 32];
const QUESTIONS = 20;
/** Characters of a text; of German, this model makes a token of 2.8. */
const [SHORTEST, LONGEST] = [420, 700];
/** The model takes two more. */
const MOST_TOKENS = 254;
const PART = 64;

/** Always the same: texts of uneven length. */
function makeTexts(count) {
  const source = readFileSync(join(root, 'data-samples', 'verwaltung.txt'), 'utf8').replace(/\s+/g, ' ');
  let seed = 42;
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  return Array.from({ length: count }, () => {
    const length = SHORTEST + Math.floor(random() * (LONGEST - SHORTEST));
    const start = Math.floor(random() * (source.length - length));
    return source.slice(start, start + length);
  });
}

/** About 200 tokens each, and none longer than the model takes: the peer would cut it, and the worker would not. */
async function fitting(embedProcess, count) {
  const texts = makeTexts(2 * count);
  const { counts } = await embedProcess.request({ count: texts });
  return texts.filter((_, index) => counts[index] <= MOST_TOKENS).slice(0, count);
}

/** The worker as the application starts it, spoken to by the application's own code. */
async function startWorker({ python, model }, ...more) {
  const { EmbedProcess } = await builtModule('src/adapters/embedders/embed-process.js');
  const started = performance.now();
  const args = ['-m', 'clara_trainer.embed', `--model=${model}`, `--threads=${THREADS}`, ...more];
  const embedProcess = new EmbedProcess(
    {
      python,
      args,
      env: { ...cleanEnvironment(), PYTHONPATH: join(root, 'trainer', 'src') },
      silenceMs: 600_000,
      startMs: 600_000,
    },
    () => undefined,
  );
  await embedProcess.ready();
  return { embedProcess, seconds: (performance.now() - started) / 1000 };
}

/** sentence-transformers in a process that stays, so that each round finds it warm. */
async function startPeer({ python, packages, model, folder }) {
  const vectors = join(folder, 'vectors.json');
  const script = join(root, 'bench', 'embed', 'sentence_transformers_encode.py');
  const child = spawn(python, [script, model, join(folder, 'texts.json'), String(THREADS), vectors], {
    env: { ...cleanEnvironment(), PYTHONPATH: packages, HF_HUB_OFFLINE: '1', OMP_NUM_THREADS: String(THREADS) },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value ?? '{}');
  const { start } = await next();
  return {
    pid: child.pid,
    start,
    round: async () => {
      child.stdin.write('\n');
      return (await next()).seconds;
    },
    end: async () => {
      child.stdin.end();
      await once(child, 'exit');
      return JSON.parse(readFileSync(vectors, 'utf8'));
    },
    kill: () => child.kill('SIGKILL'),
  };
}

/** As WorkerEmbedder does it: parts of 64 texts, one after the other, and vectors decoded. */
async function embedAll(embedProcess, texts, as = 'passage') {
  const { decodeVectors } = await builtModule('src/adapters/embedders/vectors.js');
  const vectors = [];
  for (let at = 0; at < texts.length; at += PART) {
    const part = texts.slice(at, at + PART);
    vectors.push(...decodeVectors((await embedProcess.request({ embed: part, as })).vectors, part.length));
  }
  return vectors;
}

async function seconds(work) {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

const dot = (a, b) => a.reduce((sum, value, index) => sum + value * b[index], 0);

async function questions(embedProcess, texts) {
  const times = [];
  for (let index = 0; index < QUESTIONS; index += 1)
    times.push(1000 * (await seconds(() => embedAll(embedProcess, [texts[index].slice(0, 80)], 'query'))));
  return times;
}

/** Questions alone, and while passages are embedded all the time. */
async function questionFigures(embedProcess, texts) {
  const alone = await questions(embedProcess, texts);
  let isOver = false;
  const passages = (async () => {
    while (!isOver) await embedAll(embedProcess, texts.slice(0, PART));
  })();
  const busy = await questions(embedProcess, texts);
  isOver = true;
  await passages;
  return [
    { name: 'a question, alone, p50', unit: 'ms', value: percentile(alone, 50) },
    { name: 'a question, while passages are embedded, p50', unit: 'ms', value: percentile(busy, 50) },
    { name: 'a question, while passages are embedded, p95', unit: 'ms', value: percentile(busy, 95) },
  ];
}

async function batchFigures(setup, texts, rounds) {
  const figures = [];
  for (const batch of BATCHES) {
    const { embedProcess } = await startWorker(setup, `--batch=${batch}`);
    await embedAll(embedProcess, texts.slice(0, 16));
    const paces = [];
    for (let round = 0; round < rounds; round += 1)
      paces.push(texts.length / (await seconds(() => embedAll(embedProcess, texts))));
    figures.push({ name: `batches of ${batch}`, unit: 'texts/s', ...spread(paces) });
    await embedProcess.stop();
  }
  return figures;
}

/** How the vectors of one part cross from process to process. */
async function transportFigures(vectors) {
  const { decodeVectors } = await builtModule('src/adapters/embedders/vectors.js');
  const part = vectors.slice(0, PART);
  const base64 = Buffer.from(new Float32Array(part.flat()).buffer).toString('base64');
  const numbers = JSON.stringify(part.map((vector) => [...new Float32Array(vector)]));
  const times = async (work) => {
    const found = [];
    for (let index = 0; index < 50; index += 1) found.push(1000 * (await seconds(work)));
    return median(found);
  };
  return [
    { name: 'vectors of a part as base64', unit: 'kB', value: base64.length / 1000 },
    { name: 'vectors of a part as JSON numbers', unit: 'kB', value: numbers.length / 1000 },
    {
      name: 'vectors of a part decoded from base64',
      unit: 'ms',
      value: await times(() => decodeVectors(base64, part.length)),
    },
    { name: 'vectors of a part decoded from JSON numbers', unit: 'ms', value: await times(() => JSON.parse(numbers)) },
  ];
}

/** @returns {Promise<import('../report.mjs').Result>} */
export async function run({ folder, options, say, closing }) {
  const rounds = Number(options.rounds ?? 5);
  const python = await installTrainer({ python: await findPython(), dev: false, say });
  const setup = { python, ...(await installEmbedPeer(python)), folder };
  const worker = await startWorker(setup);
  closing(() => worker.embedProcess.stop());
  const texts = await fitting(worker.embedProcess, Number(options.rows ?? 96));
  writeFileSync(join(folder, 'texts.json'), JSON.stringify(texts));
  const peer = await startPeer(setup);
  closing(peer.kill);
  const counted = await worker.embedProcess.request({ count: texts });
  const tokens = counted.counts.reduce((sum, count) => sum + count, 0) / texts.length;
  const countSeconds = await seconds(() => worker.embedProcess.request({ count: [...texts, ...texts, ...texts] }));
  const paces = { worker: [], peer: [] };
  let vectors = [];
  await embedAll(worker.embedProcess, texts);
  await peer.round();
  for (let round = 0; round < rounds; round += 1) {
    const own = await seconds(async () => (vectors = await embedAll(worker.embedProcess, texts)));
    paces.worker.push(texts.length / own);
    paces.peer.push(texts.length / (await peer.round()));
    say(`worker ${paces.worker.at(-1).toFixed(1)}, sentence-transformers ${paces.peer.at(-1).toFixed(1)} texts/s`);
  }
  const memory = { worker: residentMb(worker.embedProcess.pid), peer: residentMb(peer.pid) };
  const theirs = await peer.end();
  const figures = [
    {
      name: 'worker / sentence-transformers',
      unit: 'times',
      ...spread(paces.worker.map((pace, round) => pace / paces.peer[round])),
    },
    { name: 'worker', unit: 'texts/s', ...spread(paces.worker) },
    { name: 'sentence-transformers', unit: 'texts/s', ...spread(paces.peer) },
    {
      name: 'least cosine of the vectors of both',
      unit: '',
      value: Math.min(...vectors.map((v, i) => dot(v, theirs[i]))),
      target: { least: 0.9999 },
    },
    { name: 'worker from its start to ready', unit: 's', value: worker.seconds },
    { name: 'sentence-transformers from its start to ready', unit: 's', value: peer.start },
    { name: 'resident memory of the worker', unit: 'MB', value: memory.worker },
    { name: 'resident memory of sentence-transformers', unit: 'MB', value: memory.peer },
    { name: 'tokens counted', unit: 'texts/s', value: (3 * texts.length) / countSeconds },
    ...(await questionFigures(worker.embedProcess, texts)),
    ...(await transportFigures(vectors)),
  ];
  await worker.embedProcess.stop();
  figures.push(...(await batchFigures(setup, texts, Math.min(rounds, 3))));
  return {
    figures,
    setup: [
      `all-MiniLM-L6-v2 (22.7 M parameters, float32) on the CPU with ${THREADS} threads; ${texts.length} German texts of uneven length, ${tokens.toFixed(0)} tokens on the average, ${rounds} alternating rounds after one to warm up.`,
      'The worker is spoken to by the code of the application: its pace holds the way of texts and vectors from process to process. The peer is timed inside of its process, with the same torch and transformers, encode() with its defaults (batches of 32) and normalised vectors.',
    ],
  };
}
