import { execFile } from 'node:child_process';
import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installLlamacpp } from '../../scripts/install-llamacpp.mjs';
import { root, trainerPython } from '../fixtures/trainer.js';
import { temporaryFolder } from './peer-process.js';

const run = promisify(execFile);
const INSTALL_MS = 900_000;
const CASE_MS = 400_000;
const OUTPUT_BYTES = 16 * 1024 * 1024;
/** llama.cpp rounds to 16 bits in between; the base is further away by whole units. */
const NOISE = 0.1;

/** The likeliest tokens at a position, with the logarithms of their probabilities. */
type Chances = Record<string, number>;

interface Expected {
  text: string;
  tokens: number[];
  base: Chances[];
  both: Chances[];
}

const firstOf = (chances: Chances = {}): [string, number] =>
  Object.entries(chances).toSorted(([, one], [, other]) => other - one)[0] ?? ['', 0];

/** How far the chances of the likeliest token are apart at the worst position. */
function distance(found: readonly Chances[], expected: readonly Chances[]): number {
  const apart = expected.map((wanted, at) => {
    const [token, chance] = firstOf(wanted);
    return Math.abs((found[at]?.[token] ?? -Infinity) - chance);
  });
  return Math.max(...apart);
}

const cases = [
  ['llama', 'gpt2'],
  ['llama3', 'llama3'],
  ['mistral', 'llama'],
  ['qwen2', 'qwen2'],
  ['qwen3', 'qwen2'],
  ['gemma', 'gemma'],
  ['gemma2', 'gemma'],
  ['gemma3', 'gemma'],
  ['gemma3-linear', 'gemma'],
] as const;
const limits = { timeout: CASE_MS, maxBuffer: OUTPUT_BYTES };

describe('a merged model as one GGUF, read by llama.cpp', () => {
  let folder: string;
  let library: string;
  let expectations: Map<string, Expected>;

  const read = async (gguf: string, text: string): Promise<{ tokens: number[]; chances: Chances[] }> => {
    const reader = join(root, 'test', 'peers', 'llama-facts.mjs');
    const { stdout } = await run(process.execPath, [reader, library, gguf, text], limits);
    return JSON.parse(stdout) as { tokens: number[]; chances: Chances[] };
  };

  beforeAll(async () => {
    folder = await temporaryFolder('merged-gguf');
    const [python, installed] = await Promise.all([trainerPython(), installLlamacpp()]);
    library = installed;
    const trainer = join(root, 'trainer');
    const PYTHONPATH = [join(trainer, 'src'), join(trainer, 'tests')].join(':');
    const env = { ...process.env, PYTHONPATH, HF_HUB_OFFLINE: '1', CLARA_THREADS: '1' };
    const maker = join(trainer, 'tests', 'tiny_kinds.py');
    const pairs = cases.map((pair) => pair.join('/'));
    const { stdout } = await run(python, [maker, folder, ...pairs], { ...limits, env });
    const lines = stdout.trim().split('\n');
    expectations = new Map(lines.map((line, at) => [pairs[at] ?? '', JSON.parse(line) as Expected]));
  }, INSTALL_MS + CASE_MS);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(cases)(
    '%s with the tokenizer of %s: the tokens and the chances of transformers, which are not those of the base',
    async (kind, tokenizer) => {
      const place = join(folder, `${kind}-${tokenizer}`);
      const expected = expectations.get(`${kind}/${tokenizer}`);
      if (!expected) throw new Error('it was not made');
      const found = await read(join(place, 'out', 'amt.gguf'), expected.text);
      expect(found.tokens).toEqual(expected.tokens);
      expect(distance(found.chances, expected.both)).toBeLessThan(NOISE);
      expect(distance(found.chances, expected.base)).toBeGreaterThan(10 * NOISE);
      expect((await readdir(join(place, 'out'))).toSorted()).toEqual(
        expect.arrayContaining(['Modelfile', 'amt.gguf', 'chat_template.jinja', 'tokenizer.json']),
      );
      const modelfile = await readFile(join(place, 'out', 'Modelfile'), 'utf8');
      expect(modelfile).toContain('FROM ./amt.gguf\n');
      expect(modelfile).not.toContain('ADAPTER');
    },
    CASE_MS,
  );
});
