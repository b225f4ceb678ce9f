import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer, request as requestOf, type Server } from 'node:http';
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

const GREEDY = `
import json, sys
from pathlib import Path
from peft import PeftModel
from transformers import AutoModelForCausalLM
from clara_trainer.export.merged import load_tokenizer
base, adapter, messages, count = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), int(sys.argv[4])
tokenizer = load_tokenizer(base, Path(adapter))
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter)
row = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
answer = model.generate(**row, max_new_tokens=count, do_sample=False)[0, row["input_ids"].shape[1]:]
print(json.dumps({"prompt": row["input_ids"].shape[1], "text": tokenizer.decode(answer)}))
`;

/** What transformers answers with an adapter, the likeliest tokens. @returns it, and how many tokens the question has */
export async function greedyAnswer(
  base: string,
  adapter: string,
  { messages, tokens }: { messages: object[]; tokens: number },
): Promise<{ prompt: number; text: string }> {
  const args = ['-c', GREEDY, base, adapter, JSON.stringify(messages), String(tokens)];
  const { stdout } = await run(await trainerPython(), args, { env: pythonEnvironment(), timeout: CALL_MS });
  return JSON.parse(stdout) as { prompt: number; text: string };
}

/** A real Ollama on loopback that has nothing but what it is given. */
export class Ollama {
  private constructor(
    private readonly server: PeerProcess,
    readonly url: string,
    private readonly env: Record<string, string>,
  ) {}

  static async start(folder: string): Promise<Ollama> {
    const [port] = await freePorts(1);
    const [home, models] = [join(folder, 'home'), join(folder, 'models')];
    await Promise.all([home, models].map((path) => mkdir(path, { recursive: true })));
    const url = `http://127.0.0.1:${port}`;
    const env = { HOME: home, OLLAMA_MODELS: models, OLLAMA_HOST: `127.0.0.1:${port}` };
    const server = await PeerProcess.start({
      name: 'Ollama',
      command: await ollamaProgram(),
      args: ['serve'],
      env,
      ready: () => answersHttp(`${url}/api/version`),
    });
    return new Ollama(server, url, env);
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

  /** Makes a model of a folder with a Modelfile, as a person does. */
  async build(model: string, folder: string): Promise<void> {
    const env = { ...process.env, ...this.env };
    await run(await ollamaProgram(), ['create', model, '-f', 'Modelfile'], { cwd: folder, env, timeout: CALL_MS });
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

/** A server before an Ollama that lets through who has the key. */
export async function guarded(url: string, key: string): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    if (incoming.headers.authorization !== `Bearer ${key}`) {
      outgoing.writeHead(401, { 'content-type': 'application/json' });
      outgoing.end('{"error":"unauthorized"}');
      return;
    }
    const { method, headers } = incoming;
    const asked = requestOf(`${url}${incoming.url}`, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    asked.on('error', () => outgoing.destroy());
    incoming.pipe(asked);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
