import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { applicationFlags } from '../scripts/application-flags.mjs';
import { root } from '../scripts/root.mjs';

const HEALTH_DEADLINE_MS = 120_000;
const STOP_DEADLINE_MS = 15_000;
/** What the quick start posts. */
export const CONFIG = 'configs/lora_config.yaml';
const PORTS = ['MAIN', 'INGESTION', 'TRAINING', 'DATASET', 'SERVING', 'METRICS'];

/** @param {number} count */
export async function freePorts(count) {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((opened) => {
          const server = createServer().listen(0, '127.0.0.1', () => opened(server));
        }),
    ),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}

/** Nothing of the caller's own CLARA settings comes into a measurement. */
export const cleanEnvironment = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(CLARA|UDS3|DEBUG_USER|KEYCLOAK)_/.test(name)));

/**
 * @param {string} folder
 * @param {Record<string, string>} [more]
 * @returns {Promise<NodeJS.ProcessEnv>}
 */
export async function applicationEnvironment(folder, more = {}) {
  const ports = await freePorts(PORTS.length);
  return {
    ...cleanEnvironment(),
    CLARA_SECURITY_MODE: 'debug',
    CLARA_DATA_DIR: join(folder, 'data'),
    CLARA_LOG_DIR: join(folder, 'logs'),
    ...Object.fromEntries(PORTS.map((name, index) => [`CLARA_${name}_PORT`, String(ports[index])])),
    ...more,
  };
}

/**
 * Waits for the first 200; asks every 3 ms, so that the answer is not measured in steps.
 * @param {string} url
 * @param {import('node:child_process').ChildProcess} child
 */
export async function untilHealthy(url, child) {
  const deadline = Date.now() + HEALTH_DEADLINE_MS;
  while (Date.now() < deadline) {
    const ok = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2000) }).then(
      async (response) => (await response.arrayBuffer(), response.ok),
      () => false,
    );
    if (ok) return;
    if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode} before /health answered`);
    await sleep(3);
  }
  throw new Error(`${url}/health did not answer within ${HEALTH_DEADLINE_MS / 1000} s`);
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} [signal]
 */
export async function stopProcess(child, signal = 'SIGTERM') {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
  await gone;
  clearTimeout(timer);
}

/**
 * Starts the built application on free ports.
 * @param {{folder: string, env?: Record<string, string>, program?: string[], flags?: string[]}} options
 *   folder: of its data and logs; program: another way to start it; flags: for node
 */
export async function startApplication({ folder, env = {}, program, flags = [] }) {
  mkdirSync(folder, { recursive: true });
  const environment = await applicationEnvironment(folder, env);
  const url = `http://127.0.0.1:${environment.CLARA_TRAINING_PORT}`;
  const output = openSync(join(folder, 'application.out'), 'a');
  const started = performance.now();
  const command = program ?? [...flags, ...applicationFlags, join(root, 'dist', 'src', 'main.js')];
  const child = spawn(process.execPath, command, { cwd: root, env: environment, stdio: ['ignore', output, output] });
  await untilHealthy(url, child).catch(async (error) => {
    await stopProcess(child);
    throw new Error(
      `CLARA did not start: ${error.message}\n${readFileSync(join(folder, 'application.out'), 'utf8').slice(-2000)}`,
    );
  });
  return {
    url,
    metricsUrl: `http://127.0.0.1:${environment.CLARA_METRICS_PORT}/metrics`,
    pid: child.pid,
    startedInMs: performance.now() - started,
    stop: (signal) => stopProcess(child, signal),
  };
}

/**
 * @param {string} url
 * @param {{method?: string, body?: unknown}} [options]
 */
export async function callJson(url, { method = 'GET', body } = {}) {
  const response = await fetch(url, {
    method,
    signal: AbortSignal.timeout(30_000),
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}: ${text.slice(0, 500)}`);
  return JSON.parse(text);
}

/**
 * Asks every `ms` until the answer is true.
 * @param {() => any} look
 * @param {string} what for the message
 * @param {{ms?: number, deadlineMs?: number}} [patience]
 */
export async function until(look, what, { ms = 50, deadlineMs = 60_000 } = {}) {
  const deadline = Date.now() + deadlineMs;
  while (Date.now() < deadline) {
    const found = await look();
    if (found) return found;
    await sleep(ms);
  }
  throw new Error(`${what} did not happen within ${deadlineMs / 1000} s`);
}
