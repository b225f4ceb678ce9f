import { once } from 'node:events';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { AppError } from '../../kernel/errors.js';
import { Clock } from '../../kernel/clock.js';
import { JobAccess } from './job-access.service.js';
import type { LogsQuery } from './job.dto.js';
import type { JobEntity } from './job.entity.js';
import { isFinal } from './job-state.js';
import { RunFolder } from './run-folder.js';

const CHUNK = 64 * 1024;
const FURTHEST_BACK = 4 * 1024 * 1024;
const POLL_MS = 500;

/** Where the last `lines` lines of a text begin; pure. */
export function tailStart(text: Buffer, lines: number): number {
  let at = text.length;
  if (at > 0 && text[at - 1] === 0x0a) at -= 1;
  for (let left = lines; left > 0; left -= 1) {
    const newline = at > 0 ? text.lastIndexOf(0x0a, at - 1) : -1;
    if (newline === -1) return 0;
    at = newline;
  }
  return at + 1;
}

/** What a worker printed, as text; followed until the job has ended. */
@Injectable()
export class JobLogs {
  constructor(
    private readonly access: JobAccess,
    private readonly clock: Clock,
  ) {}

  async send(jobId: string, query: LogsQuery, response: Response): Promise<void> {
    const job = await this.access.find(jobId);
    const path = logPath(job, query.attempt);
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    response.type('text/plain; charset=utf-8');
    const follow = query.follow === 'true' || query.follow === '1' || query.follow === '';
    let offset = path === undefined ? 0 : await this.#sendTail(path, query.tail, response);
    while (follow && !gone.signal.aborted) {
      const now = await this.access.find(jobId);
      const followed = logPath(now, query.attempt);
      if (followed !== undefined)
        offset = await sendFrom(followed, followed === path ? offset : 0, response, gone.signal);
      if (isFinal(now.status)) break;
      await this.clock.sleep(POLL_MS, gone.signal);
    }
    response.end();
  }

  async #sendTail(path: string, lines: number, response: Response): Promise<number> {
    const file = await open(path, 'r').catch(() => undefined);
    if (!file) return 0;
    try {
      const { size } = await file.stat();
      const length = Math.min(size, FURTHEST_BACK);
      const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
      response.write(buffer.subarray(tailStart(buffer, lines)));
      return size;
    } finally {
      await file.close();
    }
  }
}

/** The log of an attempt, the last one by default; undefined before the first. */
function logPath(job: JobEntity, attempt: number | undefined): string | undefined {
  if (attempt !== undefined && attempt > job.attempt)
    throw new AppError('not_found', `Job ${job.job_id} has ${job.attempt} attempt(s); there is no attempt ${attempt}`);
  if (!job.run_dir) return undefined;
  return new RunFolder(join(dirname(job.run_dir), String(attempt ?? job.attempt))).log;
}

async function sendFrom(path: string, offset: number, response: Response, signal: AbortSignal): Promise<number> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return offset;
  try {
    return await copy(file, offset, response, signal);
  } finally {
    await file.close();
  }
}

async function copy(file: FileHandle, from: number, response: Response, signal: AbortSignal): Promise<number> {
  let offset = from;
  while (!signal.aborted) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(CHUNK), 0, CHUNK, offset);
    if (bytesRead === 0) break;
    offset += bytesRead;
    if (!response.write(buffer.subarray(0, bytesRead)))
      await once(response, 'drain', { signal }).catch(() => undefined);
  }
  return offset;
}
