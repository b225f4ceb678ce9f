import { setTimeout as sleep } from 'node:timers/promises';
import { bringUp } from './bring-up.js';
import type { Running } from './bring-up.js';
import type { Site } from './site.js';

interface WatchCallbacks {
  /** The server is gone; the connections to it are broken. Called once per outage. */
  onDown(reason: string): void;
  /** It answers again, perhaps at another port. */
  onUp(running: Running): void;
}

const LOOK_MS = 200;
const STABLE_MS = 60_000;
const LONGEST_PAUSE_MS = 15_000;

/** How long to wait before the next start after this many failures in a row. */
export function pauseBefore(failures: number): number {
  return failures === 0 ? 0 : Math.min(LONGEST_PAUSE_MS, 250 * 2 ** (failures - 1));
}

/** Starts the server again whenever it dies, until the signal fires. */
export async function watch(site: Site, first: Running, callbacks: WatchCallbacks, signal: AbortSignal): Promise<void> {
  let running = first;
  let failures = 0;
  while (!signal.aborted) {
    const since = performance.now();
    if (!(await died(site, running, signal))) return;
    callbacks.onDown(`PostgreSQL (pid ${running.postmaster.pid}) is gone`);
    // One that dies right after each start must not be restarted without pause.
    failures = performance.now() - since > STABLE_MS ? 0 : failures;
    const again = await restart(site, failures, signal);
    if (!again) return;
    failures = again.failures + 1;
    running = again.running;
    callbacks.onUp(running);
  }
}

/** false: the watch ended first. */
async function died(site: Site, { postmaster }: Running, signal: AbortSignal): Promise<boolean> {
  while (await pause(LOOK_MS, signal)) {
    const alive = await site.control.isAlive(postmaster).catch((error: unknown) => {
      site.log.warn(`could not look after PostgreSQL: ${String(error)}`);
      return true;
    });
    if (!alive) return !signal.aborted;
  }
  return false;
}

async function restart(
  site: Site,
  failuresBefore: number,
  signal: AbortSignal,
): Promise<{ running: Running; failures: number } | undefined> {
  for (let failures = failuresBefore; await pause(pauseBefore(failures), signal); failures += 1) {
    try {
      return { running: await bringUp(site, signal), failures };
    } catch (error) {
      if (signal.aborted) return undefined;
      site.log.warn(`PostgreSQL could not be started again: ${String(error)}`);
    }
  }
  return undefined;
}

/** false when the signal fired. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
  return !signal.aborted;
}
