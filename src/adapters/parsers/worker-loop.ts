import { Worker } from 'node:worker_threads';
import { asUnreadable } from './unreadable.js';
import type { WorkerProtocol, WorkerReply } from './worker-messages.js';

type Say<P extends WorkerProtocol> = (part: P['part']) => Promise<void>;

/**
 * Serves requests of the parent process, one after the other, until it is gone.
 * @param serve does one; `say` tells parts of the result and waits until the parent has taken them
 */
export function serveParent<P extends WorkerProtocol>(
  serve: (request: P['request'], say: Say<P>) => Promise<P['result']>,
): void {
  guard(Number(process.argv[2]) * 1_048_576);
  // The application ends its workers itself; a Ctrl-C reaches the whole group.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  process.on('disconnect', () => process.exit(0));
  const say: Say<P> = (part) => send({ say: 'part', part });
  process.on('message', (request: P['request']) => {
    void serve(request, say)
      .then((result): WorkerReply<P> => ({ say: 'done', result, memory: process.memoryUsage.rss() }))
      .catch(failureOf)
      .then(send);
  });
  void send({ say: 'ready' });
}

function failureOf(error: unknown): WorkerReply<WorkerProtocol> {
  const { reason, message } = asUnreadable(error);
  return { say: 'failed', reason, message };
}

const send = (reply: WorkerReply<WorkerProtocol>): Promise<void> =>
  new Promise((resolve) => {
    // The parent is gone: so is this process in a moment.
    if (!process.send) resolve();
    else process.send(reply, undefined, undefined, () => resolve());
  });

/** A thread of its own sees what a parser in an endless loop does not: memory, and that the parent has gone. */
function guard(maxBytes: number): void {
  new Worker(new URL('./worker-watchdog.js', import.meta.url), {
    workerData: { maxBytes, parent: process.ppid },
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
  }).unref();
}
