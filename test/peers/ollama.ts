import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { defaultCacheDir } from '../../scripts/install-postgres.mjs';
import { digestOf } from '../../src/kernel/file-digest.js';
import { freePorts } from '../fixtures/processes.js';
import { root, trainerPython } from '../fixtures/trainer.js';
import { ollamaProgram } from './ollama-build.js';
import { answersHttp, PeerProcess } from './peer-process.js';

const run = promisify(execFile);
const CALL_MS = 300_000;
const MODEL_MS = 900_000;
const OUTPUT_BYTES = 16 * 1024 * 1024;

const pythonEnvironment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  PYTHONPATH: join(root, 'trainer', 'src'),
  HF_HUB_OFFLINE: '1',
});

/** The default base model of CLARA, which is made where it is missing. @returns its folder */
export async function defaultBase(): Promise<string> {
  const args = ['-m', 'clara_trainer.base_model', '--out', join(defaultCacheDir(), 'models')];
  const limits = { env: pythonEnvironment(), timeout: MODEL_MS, maxBuffer: OUTPUT_BYTES };
  const { stdout } = await run(await trainerPython(), args, limits);
  return (JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { model: string }).model;
}

/** Base and adapter as one file, by the export. @returns the file */
export async function mergedGguf(base: string, adapter: string, out: string): Promise<string> {
  const places = ['--base', base, '--adapter', adapter, '--out', out];
  const args = ['-m', 'clara_trainer.export', ...places, '--name', 'merged', '--format', 'merged-gguf'];
  await run(await trainerPython(), args, {
    env: pythonEnvironment(),
    timeout: CALL_MS,
    maxBuffer: OUTPUT_BYTES,
  }).catch((error: unknown) => {
    throw new Error(`the export failed: ${(error as { stdout: string }).stdout}`, { cause: error });
  });
  return join(out, 'merged.gguf');
}

/** A real Ollama on loopback that has nothing but what it is given. */
export class Ollama {
  private constructor(
    private readonly server: PeerProcess,
    readonly url: string,
  ) {}

  static async start(folder: string): Promise<Ollama> {
    const [port] = await freePorts(1);
    const [home, models] = [join(folder, 'home'), join(folder, 'models')];
    await Promise.all([home, models].map((path) => mkdir(path, { recursive: true })));
    const url = `http://127.0.0.1:${port}`;
    const server = await PeerProcess.start({
      name: 'Ollama',
      command: await ollamaProgram(),
      args: ['serve'],
      env: { HOME: home, OLLAMA_MODELS: models, OLLAMA_HOST: `127.0.0.1:${port}` },
      ready: () => answersHttp(`${url}/api/version`),
    });
    return new Ollama(server, url);
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  /** Makes a model of a GGUF file. */
  async give(model: string, gguf: string): Promise<void> {
    const { sha256 } = await digestOf(gguf);
    const body = createReadStream(gguf);
    const signal = AbortSignal.timeout(CALL_MS);
    const sent = { method: 'POST', body, duplex: 'half', signal } as unknown as RequestInit;
    const uploaded = await fetch(`${this.url}/api/blobs/sha256:${sha256}`, sent);
    if (!uploaded.ok) throw new Error(`Ollama takes no ${gguf}: ${await uploaded.text()}`);
    const content = JSON.stringify({ model, files: { 'model.gguf': `sha256:${sha256}` }, stream: false });
    const made = await fetch(`${this.url}/api/create`, { method: 'POST', body: content, signal });
    if (!made.ok) throw new Error(`Ollama makes no model of ${gguf}: ${await made.text()}`);
  }

  /** Names of all models that it has. */
  models(): Promise<string[]> {
    return this.#list('/api/tags');
  }

  /** Names of those that are in its memory. */
  running(): Promise<string[]> {
    return this.#list('/api/ps');
  }

  async #list(path: string): Promise<string[]> {
    const answer = await fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(CALL_MS) });
    return ((await answer.json()) as { models: { name: string }[] }).models.map(({ name }) => name).toSorted();
  }
}
