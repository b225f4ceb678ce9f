import { spawn } from 'node:child_process';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cleanEnvironment, freePorts, startApplication, stopProcess, until } from '../application.mjs';
import { installPeer } from '../peer.mjs';
import { asOutside, startPostgres } from '../postgres.mjs';

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const MODEL = 'bench-base';
const KEY = 'key-of-the-bench';

/** @param {string} url @param {RequestInit} [init] */
const answersAt = (url, init) =>
  fetch(url, { ...init, signal: AbortSignal.timeout(5000) }).then(
    async (response) => (await response.arrayBuffer(), response.ok),
    () => false,
  );

async function startNode(file, args, closing) {
  const [port] = await freePorts(1);
  const child = spawn(process.execPath, [here(file), '--port', String(port), ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  closing(() => stopProcess(child));
  const url = `http://127.0.0.1:${port}`;
  await until(() => answersAt(`${url}/v1/models`), `${file} answers`);
  return url;
}

async function startClara(folder, engine, closing) {
  const postgres = await startPostgres(folder);
  closing(postgres.stop);
  const env = {
    ...asOutside(postgres.connection),
    CLARA_SERVING_ENGINE: 'vllm',
    CLARA_SERVING_URLS: engine,
    CLARA_SERVING_API_KEY: KEY,
    CLARA_LOG_LEVEL: 'warn',
  };
  const clara = await startApplication({ folder, env });
  closing(clara.stop);
  await until(() => listsModel(clara.url), 'CLARA knows the base model');
  return clara.url;
}

async function listsModel(url) {
  const response = await fetch(`${url}/v1/models`);
  return response.ok && /** @type {any} */ (await response.json()).data.some(({ id }) => id === MODEL);
}

/** LiteLLM's proxy with one model, no database, no callbacks: the least that it can do. */
async function startLiteLlm(folder, engine, closing) {
  const python = await installPeer('litellm.txt');
  const config = join(folder, 'litellm.yaml');
  writeFileSync(
    config,
    `model_list:\n  - model_name: ${MODEL}\n    litellm_params: {model: openai/${MODEL}, api_base: ${engine}/v1, api_key: ${KEY}}\n` +
      `litellm_settings: {telemetry: false, drop_params: false}\ngeneral_settings: {}\n`,
  );
  const [port] = await freePorts(1);
  const output = openSync(join(folder, 'litellm.out'), 'a');
  const args = ['--config', config, '--host', '127.0.0.1', '--port', String(port), '--telemetry', 'False'];
  const env = {
    ...cleanEnvironment(),
    LITELLM_LOG: 'ERROR',
    LITELLM_LOCAL_MODEL_COST_MAP: 'True',
    // As CLARA's debug mode: nobody is asked for a token.
    LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY: 'true',
    PYTHONWARNINGS: 'ignore',
  };
  const child = spawn(join(dirname(python), 'litellm'), args, { cwd: folder, env, stdio: ['ignore', output, output] });
  closing(() => stopProcess(child));
  const url = `http://127.0.0.1:${port}`;
  await until(
    () => {
      if (child.exitCode !== null)
        throw new Error(`LiteLLM ended:\n${readFileSync(join(folder, 'litellm.out'), 'utf8').slice(-2000)}`);
      return answersAt(`${url}/health/liveliness`);
    },
    'LiteLLM answers',
    { deadlineMs: 300_000, ms: 500 },
  );
  return url;
}

/**
 * An engine that answers at once, and what stands before it.
 * @returns {Promise<{name: string, url: string}[]>} the first is the engine itself
 */
export async function startSides({ folder, closing }) {
  const direct = await startNode('./stub-engine.mjs', [], closing);
  const pipe = await startNode('./pipe-proxy.mjs', ['--to', direct], closing);
  const clara = await startClara(folder, direct, closing);
  const litellm = await startLiteLlm(folder, direct, closing);
  return [
    { name: 'direct', url: direct },
    { name: 'CLARA', url: clara },
    { name: 'pipe', url: pipe },
    { name: 'LiteLLM', url: litellm },
  ];
}

/** @param {{stream?: boolean, bytes?: number}} what */
export function bodyOf({ stream = false, bytes = 0 }) {
  const content =
    bytes === 0
      ? 'Wann endet die Frist?'
      : 'Die Frist beginnt mit der Bekanntgabe des Bescheids. '.repeat(Math.ceil(bytes / 53)).slice(0, bytes);
  return JSON.stringify({ model: MODEL, stream, messages: [{ role: 'user', content }] });
}

/** @param {{name: string, url: string}} side @param {object} load @returns {Promise<{p50: number, p99: number, errors: number, count: number}>} */
export async function askSide({ url }, load) {
  const child = spawn(process.execPath, [here('./load.mjs')], { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (part) => (output += part));
  child.stdin.end(
    JSON.stringify({ url: `${url}/v1/chat/completions`, headers: { authorization: `Bearer ${KEY}` }, ...load }),
  );
  const code = await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
  if (code !== 0) throw new Error(`the load ended with code ${code}`);
  return JSON.parse(output);
}
