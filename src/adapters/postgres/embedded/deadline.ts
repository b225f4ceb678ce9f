import { setTimeout as sleep } from 'node:timers/promises';

interface Wait {
  timeoutMs: number;
  everyMs: number;
  signal?: AbortSignal | undefined;
}

/** Asks until the answer is not undefined; undefined after the deadline, throws when the signal fires. */
export async function until<T>(ask: () => Promise<T | undefined>, wait: Wait): Promise<T | undefined> {
  const end = performance.now() + wait.timeoutMs;
  for (;;) {
    wait.signal?.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined || performance.now() >= end) return answer;
    // The next turn throws the reason of the signal, which sleep does not know.
    await sleep(wait.everyMs, undefined, wait.signal ? { signal: wait.signal } : {}).catch(() => undefined);
  }
}
