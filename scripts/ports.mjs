import { createServer } from 'node:net';
import { Problem } from './problem.mjs';

/** The service ports, by the setting that moves each. */
const PORTS = {
  CLARA_MAIN_PORT: 45678,
  CLARA_INGESTION_PORT: 45679,
  CLARA_TRAINING_PORT: 45680,
  CLARA_DATASET_PORT: 45681,
  CLARA_SERVING_PORT: 45682,
  CLARA_METRICS_PORT: 9310,
};

/** @typedef {keyof typeof PORTS} PortSetting */

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {PortSetting} setting
 */
export const portOf = (env, setting) => Number(env[setting] || PORTS[setting]);

/**
 * @param {NodeJS.ProcessEnv} env
 * @throws Problem naming each port that is taken and the setting that moves it
 */
export async function checkPortsAreFree(env) {
  const host = env.CLARA_HOST || '127.0.0.1';
  const settings = /** @type {PortSetting[]} */ (Object.keys(PORTS));
  const checked = await Promise.all(
    settings.map(async (name) => ({ name, free: await isFree(host, portOf(env, name)) })),
  );
  const taken = checked
    .filter(({ free }) => !free)
    .map(({ name }) => `  port ${portOf(env, name)}: set ${name} to another one`);
  if (taken.length === 0) return;
  throw new Problem(
    `Something listens on ${host} already, most often another CLARA. Stop it, or:\n${taken.join('\n')}`,
  );
}

/**
 * @param {string} host
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function isFree(host, port) {
  return new Promise((resolve) => {
    const server = createServer();
    // Any other error is the application's to explain.
    server.once('error', (/** @type {NodeJS.ErrnoException} */ error) => resolve(error.code !== 'EADDRINUSE'));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
