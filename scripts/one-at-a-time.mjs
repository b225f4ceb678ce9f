import { link, mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 200;
const SIGN_OF_LIFE_MS = 2000;
const SILENT_MS = 30_000;
const PATIENCE_MS = 30 * 60_000;

/**
 * Runs `work` while no other process does, holding the lock file `path`; a holder that died is not waited for.
 * @template T
 * @param {string} path
 * @param {{onWait?: () => void}} options
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function oneAtATime(path, { onWait }, work) {
  await mkdir(dirname(path), { recursive: true });
  await take(path, onWait);
  const alive = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), SIGN_OF_LIFE_MS);
  try {
    return await work();
  } finally {
    clearInterval(alive);
    await rm(path, { force: true });
  }
}

/**
 * @param {string} path
 * @param {(() => void) | undefined} onWait
 */
async function take(path, onWait) {
  const until = Date.now() + PATIENCE_MS;
  for (let waited = false; Date.now() < until; waited = true) {
    if (await create(path)) return;
    if (await isAbandoned(path)) await moveAside(path);
    else if (!waited) onWait?.();
    await sleep(POLL_MS);
  }
  throw new Error(`${path} is held by another process for too long; when none prepares this folder, remove that file`);
}

/** @param {string} path */
async function create(path) {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(JSON.stringify({ pid: process.pid, host: hostname() }));
    await file.close();
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/** @param {string} path */
async function isAbandoned(path) {
  const file = await stat(path).catch(() => undefined);
  if (!file) return false;
  if (Date.now() - file.mtimeMs > SILENT_MS) return true;
  const holder = await readFile(path, 'utf8')
    .then(JSON.parse)
    .catch(() => undefined);
  return holder?.host === hostname() && !isAlive(holder.pid);
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/**
 * Renaming tells who removes an abandoned lock; a lock that another waiter took in between is put back.
 * @param {string} path
 */
async function moveAside(path) {
  const aside = `${path}.${process.pid}`;
  const moved = await rename(path, aside).then(
    () => true,
    () => false,
  );
  if (moved && !(await isAbandoned(aside))) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}
