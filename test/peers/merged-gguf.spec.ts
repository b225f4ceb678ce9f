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

describe('a merged model as one GGUF, read by llama.cpp', () => {
  let folder: string;
  let python: string;
  let library: string;
  let environment: NodeJS.ProcessEnv;

  const limits = () => ({ env: environment, timeout: CASE_MS, maxBuffer: OUTPUT_BYTES });
  const made = async (kind: string, tokenizer: string): Promise<{ place: string; expected: Expected }> => {
    const place = join(folder, `${kind}-${tokenizer}`);
    const maker = join(root, 'trainer', 'tests', 'tiny_kinds.py');
    const { stdout } = await run(python, [maker, kind, tokenizer, place], limits());
    const places = ['--base', join(place, 'base'), '--adapter', join(place, 'adapter'), '--out', join(place, 'out')];
    await run(
      python,
      ['-m', 'clara_trainer.export', ...places, '--name', 'amt', '--format', 'merged-gguf'],
      limits(),
    ).catch((error: unknown) => {
      throw new Error((error as { stdout: string }).stdout);
    });
    return { place, expected: JSON.parse(stdout) as Expected };
  };
  const read = async (gguf: string, text: string): Promise<{ tokens: number[]; chances: Chances[] }> => {
    const reader = join(root, 'test', 'peers', 'llama-facts.mjs');
    const { stdout } = await run(process.execPath, [reader, library, gguf, text], limits());
    return JSON.parse(stdout) as { tokens: number[]; chances: Chances[] };
  };

  beforeAll(async () => {
    folder = await temporaryFolder('merged-gguf');
    [python, library] = await Promise.all([trainerPython(), installLlamacpp()]);
    const trainer = join(root, 'trainer');
    environment = {
      ...process.env,
      PYTHONPATH: [join(trainer, 'src'), join(trainer, 'tests')].join(':'),
      HF_HUB_OFFLINE: '1',
      CLARA_THREADS: '1',
    };
  }, INSTALL_MS);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each([
    ['llama', 'gpt2'],
    ['llama3', 'llama3'],
    ['mistral', 'llama'],
    ['qwen2', 'qwen2'],
    ['qwen3', 'qwen2'],
    ['gemma', 'gemma'],
    ['gemma2', 'gemma'],
    ['gemma3', 'gemma'],
    ['gemma3-linear', 'gemma'],
  ])(
    '%s with the tokenizer of %s: the tokens and the chances of transformers, which are not those of the base',
    async (kind, tokenizer) => {
      const { place, expected } = await made(kind, tokenizer);
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
