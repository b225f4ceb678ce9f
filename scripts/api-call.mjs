import { Problem } from './problem.mjs';

const ANSWER_MS = 10_000;

/**
 * One call of the API.
 * @param {string} address host and port
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<any>} the body
 * @throws Problem with what the answer says
 */
export async function callApi(address, path, options = {}) {
  const response = await fetch(`http://${address}${path}`, { ...options, signal: AbortSignal.timeout(ANSWER_MS) });
  const body = /** @type {any} */ (await response.json());
  if (response.ok) return body;
  throw new Problem(body.detail ?? `${path} answered ${response.status}`);
}

/**
 * @param {object} body
 * @param {Record<string, string>} [headers]
 * @returns {RequestInit}
 */
export const asJson = (body, headers = {}) => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...headers },
});
