import type { Clock } from '../../kernel/clock.js';
import { messageOf } from '../../kernel/errors.js';
import type { Log } from '../../kernel/log.js';
import type { JobEvent, JobEventFeed } from '../training/job-events.port.js';
import type { LiveLimits } from './live-limits.js';

/** Reads the event log onwards: at once on news, else by looking now and then, for a notification may be lost. */
export class EventFollower {
  #stopped = false;
  #wake = new AbortController();
  #running: Promise<void> | undefined;

  constructor(
    private readonly feed: JobEventFeed,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly limits: LiveLimits,
  ) {}

  /** Follows from behind `tail` until stopped; a page is read when the one before has been taken. */
  start(tail: number, take: (page: JobEvent[]) => Promise<void>, caughtUp: () => void): void {
    const off = this.feed.onNews(() => this.#wake.abort());
    this.#running = this.#follow(tail, take, caughtUp).finally(off);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake.abort();
    await this.#running;
  }

  async #follow(start: number, take: (page: JobEvent[]) => Promise<void>, caughtUp: () => void): Promise<void> {
    let tail = start;
    while (!this.#stopped) {
      const page = await this.#read(tail);
      if (page && page.length > 0) await take(page);
      tail = page?.at(-1)?.stream ?? tail;
      if (page && page.length < this.limits.followPage) caughtUp();
      if (page?.length !== this.limits.followPage) await this.#rest();
    }
  }

  /** Undefined where the log could not be read: the database may be away, and comes back. */
  async #read(tail: number): Promise<JobEvent[] | undefined> {
    try {
      return await this.feed.read(tail, this.limits.followPage);
    } catch (error) {
      this.log.warn('the event log could not be read, trying again', { error: messageOf(error) });
      return undefined;
    }
  }

  async #rest(): Promise<void> {
    await this.clock.sleep(this.limits.feedPollMs, this.#wake.signal);
    if (!this.#stopped) this.#wake = new AbortController();
  }
}
