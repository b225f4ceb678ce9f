import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../../scripts/root.mjs';
import { cleanEnvironment } from '../application.mjs';
import { cpuSeconds } from '../processes.mjs';

const KEY = 'bench';

/** @typedef {{model: string, prompt: string, max_tokens: number}} Question */

/**
 * The engine as the application starts it.
 * @param {{python: string, base: string, threads: number, rows: number}} wanted
 */
export async function startEngine({ python, base, threads, rows }) {
  const args = ['-m', 'clara_trainer.serve', `--model=${base}`, '--name=base', `--threads=${threads}`];
  const child = spawn(python, [...args, `--max-rows=${rows}`, '--max-loras=8', '--max-rank=16', '--device=cpu'], {
    env: { ...cleanEnvironment(), PYTHONPATH: join(root, 'trainer', 'src'), CLARA_ENGINE_KEY: KEY },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const said = JSON.parse((await lines.next()).value ?? '{}');
  if (!said.ready) throw new Error(`the engine did not start: ${said.failed?.message}`);
  return new Engine(child, said.ready.port);
}

class Engine {
  /** @param {import('node:child_process').ChildProcess} child @param {number} port */
  constructor(child, port) {
    this.child = child;
    this.url = `http://127.0.0.1:${port}`;
  }

  async post(path, body) {
    const response = await fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answers ${response.status}: ${text}`);
    return text;
  }

  load(name, folder) {
    return this.post('/v1/load_lora_adapter', { lora_name: name, lora_path: folder });
  }

  /** @param {Question} question greedy, and always of its full length */
  ask(question) {
    return this.post('/v1/completions', { ...question, temperature: 0, ignore_eos: true });
  }

  cpu() {
    return cpuSeconds([this.child.pid]);
  }

  async stop() {
    this.child.stdin.end();
    if (this.child.exitCode === null) await once(this.child, 'exit');
  }
}

/** PEFT in a process that stays, so that each round finds it warm. */
export async function startPeft({ python, base, adapters, prompts, threads, tokens, folder }) {
  const files = { adapters: join(folder, 'adapters.json'), prompts: join(folder, 'prompts.json') };
  writeFileSync(files.adapters, JSON.stringify(adapters));
  writeFileSync(files.prompts, JSON.stringify(prompts));
  const script = join(root, 'bench', 'serve', 'peft_batch.py');
  const args = [script, base, files.adapters, files.prompts, String(threads), String(tokens)];
  const child = spawn(python, args, {
    env: { ...cleanEnvironment(), HF_HUB_OFFLINE: '1', OMP_NUM_THREADS: String(threads), OMP_WAIT_POLICY: 'PASSIVE' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value ?? '{}');
  if (!(await next()).ready) throw new Error('PEFT did not start');
  return {
    /** @param {'alone' | 'together'} way */
    round: async (way) => {
      child.stdin.write(`${way}\n`);
      return (await next()).seconds;
    },
    stop: async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}
