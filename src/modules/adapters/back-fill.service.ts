import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { inTransaction, isDatabaseAway } from '../../kernel/transaction.js';
import { CompletedAdapters, type CompletedJob } from '../training/completed-adapter.port.js';
import { CompletedJobs } from '../training/completed-jobs.port.js';
import { AdapterPlace } from './adapter-place.js';
import { VersionStore } from './version.store.js';

const AT_ONCE = 200;
const AGAIN_MS = 30_000;

/** Registers, once after each start, the adapters of completed jobs that have no version: they are older than the registry. */
@Injectable()
export class BackFill implements OnApplicationBootstrap, OnApplicationShutdown {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  readonly #stop = new AbortController();

  constructor(
    private readonly jobs: CompletedJobs,
    private readonly adapters: CompletedAdapters,
    private readonly versions: VersionStore,
    private readonly place: AdapterPlace,
    private readonly source: DataSource,
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.#running = this.#start();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** @returns how many were registered now, and how many jobs have no adapter here that could be */
  async run(): Promise<{ registered: number; left: number }> {
    const done = { registered: 0, left: 0 };
    let page: CompletedJob[] = [];
    let last = 0;
    do {
      page = await this.jobs.after(last, AT_ONCE);
      const known = await this.versions.registeredJobs(page.map(({ jobId }) => jobId));
      for (const job of page.filter(({ jobId }) => !known.has(jobId))) {
        if (this.#stop.signal.aborted) return done;
        done[await this.#register(job)] += 1;
      }
      last = page.at(-1)?.seq ?? last;
    } while (page.length === AT_ONCE);
    return done;
  }

  async #register(job: CompletedJob): Promise<'registered' | 'left'> {
    try {
      const register = await this.adapters.prepare(job);
      await inTransaction(this.source, (sql) => register(sql));
      return 'registered';
    } catch (error) {
      if (isDatabaseAway(error)) throw error;
      this.log.debug('an adapter is not registered', { job: job.jobId, error: messageOf(error) });
      return 'left';
    }
  }

  async #start(): Promise<void> {
    try {
      await this.place.id();
      const { registered, left } = await this.run();
      if (registered > 0) this.log.info('adapters of earlier jobs are registered', { registered, left });
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.log.warn('registering earlier adapters failed; trying again', { error: messageOf(error) });
      this.#timer = setTimeout(() => (this.#running = this.#start()), AGAIN_MS).unref();
    }
  }
}
