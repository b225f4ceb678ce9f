import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { isDatabaseAway } from '../../kernel/transaction.js';
import { Wakeups } from '../../kernel/wakeups.js';
import { messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';

export const QUEUE_CHANNEL = 'training_queue';
export const STREAM_CHANNEL = 'training_stream';

const FALLBACK_MS = 1000;

/** Runs `work` after each request for it, one run at a time, and once more for all requests that came meanwhile. */
class Coalesced {
  #running: Promise<void> | undefined;
  #again = false;

  constructor(private readonly work: () => Promise<void>) {}

  request(): void {
    if (this.#running) this.#again = true;
    else this.#running = this.#run();
  }

  async settled(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    do {
      this.#again = false;
      await this.work();
    } while (this.#again);
    this.#running = undefined;
  }
}

/**
 * Tells the rest of the process, and the other applications on the database, that something was committed.
 * After the commit, never inside it: a NOTIFY in a transaction makes all commits wait for each other.
 */
@Injectable()
export class JobNews implements OnApplicationShutdown {
  readonly #queueListeners = new Set<() => void>();
  readonly #number = new Coalesced(() => this.#try(`SELECT training_number_events()`));
  readonly #notify = new Coalesced(() => this.#try(`SELECT pg_notify('${QUEUE_CHANNEL}', '')`));
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly source: DataSource,
    private readonly wakeups: Wakeups,
    private readonly log: Log,
  ) {
    // What another application wrote and then died before numbering is numbered here.
    this.#timer = setInterval(() => this.#number.request(), FALLBACK_MS);
    this.#timer.unref();
  }

  /** A job came, was cancelled, or its slot is free again. */
  queueChanged(): void {
    this.eventsWritten();
    for (const listener of this.#queueListeners) listener();
    this.#notify.request();
  }

  /** Events were committed and want numbers in the stream. */
  eventsWritten(): void {
    this.#number.request();
  }

  onQueueChange(listener: () => void): () => void {
    this.#queueListeners.add(listener);
    const off = this.wakeups.on(QUEUE_CHANNEL, listener);
    return () => {
      off();
      this.#queueListeners.delete(listener);
    };
  }

  onStream(listener: () => void): () => void {
    return this.wakeups.on(STREAM_CHANNEL, listener);
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([this.#number.settled(), this.#notify.settled()]);
  }

  async #try(statement: string): Promise<void> {
    try {
      await this.source.query(statement);
    } catch (error) {
      if (!isDatabaseAway(error)) this.log.error('telling about a change failed', { error: messageOf(error) });
    }
  }
}
