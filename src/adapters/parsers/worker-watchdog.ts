import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { OUT_OF_MEMORY } from './worker-messages.js';

const POLL_MS = 50;
const STDERR = 2;

const { maxBytes, parent } = workerData as { maxBytes: number; parent: number };

setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
  if (process.memoryUsage.rss() <= maxBytes) return;
  writeSync(STDERR, `${OUT_OF_MEMORY}\n`);
  process.kill(process.pid, 'SIGKILL');
}, POLL_MS);
