import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';

/**
 * @typedef {object} Load
 * @property {string} url of the server
 * @property {string[]} paths asked in turn
 * @property {object} [body] sent by POST
 * @property {string[]} [tokens] bearer tokens, used in turn
 * @property {number} connections
 * @property {number} seconds
 * @property {string} folder for scratch files
 *
 * @typedef {{perSecond: number, p50: number, p99: number, errors: number}} Answered latencies in ms
 */

function hasWrk() {
  try {
    return execFileSync('sh', ['-c', 'wrk -v 2>&1 || true'], { encoding: 'utf8' }).startsWith('wrk ');
  } catch {
    return false;
  }
}

/** wrk needs a tenth of the CPU, which the servers share; both sides are always asked by the same one. */
export const generator = hasWrk() ? 'wrk (1 thread)' : 'autocannon (1 worker)';

/** @param {Load} load @returns {Promise<Answered>} */
export const ask = (load) => (generator.startsWith('wrk') ? askByWrk(load) : askByAutocannon(load));

/** @param {Load} load */
function wrkScript({ paths, body, tokens = [] }) {
  const lua = (text) => JSON.stringify(text).replaceAll('\\/', '/');
  const head = body
    ? `wrk.method = "POST"\nwrk.body = ${lua(JSON.stringify(body))}\nwrk.headers["content-type"] = "application/json"\n`
    : '';
  return `${head}local tokens = {${tokens.map(lua).join(',')}}
local paths = {${paths.map(lua).join(',')}}
local turn = 0
request = function()
  turn = turn + 1
  if #tokens > 0 then wrk.headers["authorization"] = "Bearer " .. tokens[turn % #tokens + 1] end
  return wrk.format(nil, paths[turn % #paths + 1])
end
done = function(all, latency)
  local e = all.errors
  print(string.format("RESULT %f %f %f %d", all.requests / all.duration * 1e6, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, e.connect + e.read + e.write + e.status + e.timeout))
end
`;
}

/** Loads may run beside each other. */
let scripts = 0;

/** @param {Load} load @returns {Promise<Answered>} */
async function askByWrk(load) {
  scripts += 1;
  const script = join(load.folder, `load-${scripts}.lua`);
  writeFileSync(script, wrkScript(load));
  const args = ['-t1', `-c${load.connections}`, `-d${load.seconds}s`, '--timeout', '10s', '-s', script, load.url];
  const child = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (part) => (output += part));
  await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
  const [, ...numbers] = /RESULT (\S+) (\S+) (\S+) (\d+)/.exec(output) ?? [];
  if (numbers.length === 0) throw new Error(`wrk failed: ${output}`);
  const [perSecond, p50, p99, errors] = numbers.map(Number);
  return { perSecond, p50, p99, errors };
}

/** @param {Load} load @returns {Promise<Answered>} */
async function askByAutocannon({ url, paths, body, tokens = [], connections, seconds }) {
  const asked = Array.from({ length: Math.max(paths.length, tokens.length) }, (_, index) => ({
    path: paths[index % paths.length],
    authorization: tokens.length > 0 ? { authorization: `Bearer ${tokens[index % tokens.length]}` } : {},
  }));
  const requests = asked.map(({ path, authorization }) => ({
    path,
    method: body ? 'POST' : 'GET',
    headers: { ...authorization, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  }));
  const result = await autocannon({ url, connections, duration: seconds, requests });
  const { requests: answered, latency, errors, timeouts, non2xx } = result;
  return { perSecond: answered.average, p50: latency.p50, p99: latency.p99, errors: errors + timeouts + non2xx };
}

/**
 * Requests at an even pace, from a process of its own.
 * @param {{url: string, paths: string[], tokens: string[], perSecond: number, seconds: number}} load
 * @returns {Promise<Answered>}
 */
export async function askEvenly(load) {
  const program = fileURLToPath(new URL('./pace.mjs', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (part) => (output += part));
  child.stdin.end(JSON.stringify(load));
  const code = await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
  if (code !== 0) throw new Error(`the even load ended with code ${code}`);
  return JSON.parse(output);
}
