// One step in a process of its own, so that its memory and its start can be measured: `build`, `load` or `find`.
import { readFileSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { builtModule } from '../../scripts/built-module.mjs';
import { percentile } from '../figures.mjs';
import { drawing, made, textOf } from './corpus.mjs';

const QUALITY = 'src/modules/dataset/quality';
const { NearDuplicates } = await builtModule(`${QUALITY}/near-duplicates.js`);
const { loadNearDuplicates, saveNearDuplicates } = await builtModule(`${QUALITY}/near-duplicates-file.js`);

const WORDS = 260;
const QUESTIONS = 2000;
const since = (started) => (performance.now() - started) / 1000;
const memoryMb = () => process.resourceUsage().maxRSS / 1024;
const idOf = (document) => `00000000-0000-4000-8000-${String(document).padStart(12, '0')}`;
/** Each document by its number alone, so that no process has to keep them. */
const textAt = (document) => textOf(made(drawing(document + 1), WORDS));

const steps = {
  /** Every document of a file, one a line: adds it and keeps the answer. */
  find(path, answersPath) {
    const documents = readFileSync(path, 'utf8').trimEnd().split('\n');
    const index = new NearDuplicates();
    const cpu = process.cpuUsage();
    const started = performance.now();
    const answers = documents.map((text, at) => index.add(String(at), text));
    const seconds = since(started);
    const { user, system } = process.cpuUsage(cpu);
    writeFileSync(answersPath, JSON.stringify(answers.map((answer) => (answer === null ? null : Number(answer.id)))));
    return { seconds, cpuSeconds: (user + system) / 1e6 };
  },

  async build(count, path) {
    const index = new NearDuplicates();
    let [seconds, slowest, characters] = [0, 0, 0];
    for (let document = 0; document < Number(count); document += 1) {
      const text = textAt(document);
      const started = performance.now();
      index.add(idOf(document), text);
      const took = since(started);
      [seconds, slowest, characters] = [seconds + took, Math.max(slowest, took), characters + text.length];
    }
    const started = performance.now();
    await saveNearDuplicates(index, path);
    const saved = { saveSeconds: since(started), fileMb: (await stat(path)).size / 2 ** 20 };
    return {
      seconds,
      slowestMs: slowest * 1000,
      characters,
      arraysMb: index.bytes / 2 ** 20,
      memoryMb: memoryMb(),
      ...saved,
    };
  },

  async load(count, path) {
    const started = performance.now();
    const index = await loadNearDuplicates(path);
    const seconds = since(started);
    const draw = drawing(5);
    const times = Array.from({ length: QUESTIONS }, () => {
      const document = draw(Number(count));
      const text = textAt(document);
      const asked = performance.now();
      const answer = index.nearest(text);
      if (answer?.id !== idOf(document)) throw new Error(`document ${document} was answered with ${answer?.id}`);
      return performance.now() - asked;
    });
    return { seconds, documents: index.size, p99Ms: percentile(times, 99), memoryMb: memoryMb() };
  },
};

const [step, ...options] = process.argv.slice(2);
console.log(JSON.stringify(await steps[step](...options)));
