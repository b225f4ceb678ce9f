import { setImmediate as letOthersRun } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import { messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { type JobEvent, JobEventFeed } from '../training/job-events.port.js';
import { blockadeNow, cursorAfterPage, nextStep, type Start, startAfter, type Step, withoutHole } from './delivery.js';
import { EventFollower } from './event-follower.js';
import { EventRing } from './event-ring.js';
import { Listener, type Outlet } from './listener.js';
import { EventFrame, type LiveFrame } from './live-frame.js';
import { LiveLimits } from './live-limits.js';
import { Turns } from './turns.js';

type Snapshots = Awaited<ReturnType<JobEventFeed['snapshots']>>;

/** Looks the less often, the longer a client has taken nothing. */
const drainPoll = (waited: number, least: number): number => Math.min(250, Math.max(least, waited));

/** Frames written in one go before other work of the process gets its turn. */
const FRAMES_PER_TURN = 2000;

/**
 * The one reader of the event log in this process. It keeps the newest events in memory and brings each listener
 * forward from its own cursor: every event once and in order. A client that does not take its frames is left behind
 * and costs one page; it goes on later from memory or from the log.
 */
@Injectable()
export class EventHub implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #follower: EventFollower;
  readonly #upToDate = new Set<Listener>();
  readonly #behind = new Set<Listener>();
  readonly #wakers = new Map<string, Set<() => void>>();
  readonly #reads: Turns;
  #ring: EventRing;
  #sent = 0;
  #stopped = false;
  #markReady: () => void = () => undefined;
  /** Resolves once the newest events are in memory. */
  readonly ready = new Promise<void>((resolve) => (this.#markReady = resolve));

  constructor(
    private readonly feed: JobEventFeed,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly limits: LiveLimits,
  ) {
    this.#follower = new EventFollower(feed, clock, log, limits);
    this.#reads = new Turns(limits.replayReads);
    this.#ring = this.#ringFrom(0);
  }

  /** Does not wait for the database: it may come later. */
  onApplicationBootstrap(): void {
    void this.#start();
  }

  async onModuleDestroy(): Promise<void> {
    this.#stopped = true;
    for (const listener of [...this.#upToDate, ...this.#behind]) this.end(listener);
    await this.#follower.stop();
  }

  /** Number of the newest event that was handed out. */
  get tail(): number {
    return this.#ring.tail;
  }

  get framesSent(): number {
    return this.#sent;
  }

  get listenersBehind(): number {
    return this.#behind.size;
  }

  /** Follows the events of one job, or of all, behind `cursor`. */
  listen(outlet: Outlet, jobId: string | undefined, cursor: number): Listener {
    const listener = new Listener(outlet, jobId, cursor);
    this.#upToDate.add(listener);
    this.#advance(listener);
    return listener;
  }

  end(listener: Listener): void {
    listener.ended = true;
    this.#upToDate.delete(listener);
    this.#behind.delete(listener);
  }

  write(outlet: Outlet, frames: readonly LiveFrame[]): void {
    this.#sent += frames.length;
    outlet.send(frames);
  }

  /** Where a client goes on that has seen everything up to `after`. */
  async startAfter(after: number): Promise<Start> {
    if (after >= this.#ring.floor && after <= this.tail) return { cursor: after };
    return this.#reads.run(async () => {
      const [oldest, newest] = await Promise.all([this.feed.oldest(), this.feed.newest()]);
      return startAfter(after, { oldest, newest, tail: this.tail });
    });
  }

  async jobExists(jobId: string): Promise<boolean> {
    return this.#reads.run(() => this.feed.exists(jobId));
  }

  async snapshots(jobId?: string): Promise<Snapshots> {
    return this.#reads.run(() => this.feed.snapshots(jobId));
  }

  /** Events of one job behind its own number `after`, also those that were not handed out yet. */
  async storedJobEvents(jobId: string, after: number, limit: number): Promise<JobEvent[]> {
    return this.#reads.run(() => this.feed.readJob(jobId, after, limit));
  }

  /** Events of one job behind its own number `after`, from memory where they are there without a hole. */
  async jobEvents(jobId: string, after: number, limit: number): Promise<JobEvent[]> {
    const held = this.#ring.after(this.#ring.floor, Number.POSITIVE_INFINITY, jobId).frames.map(({ event }) => event);
    return withoutHole(held, after)?.slice(0, limit) ?? this.storedJobEvents(jobId, after, limit);
  }

  /** Calls back at each news of one job; the returned function ends it. */
  onJob(jobId: string, wake: () => void): () => void {
    const wakers = this.#wakers.get(jobId) ?? new Set();
    this.#wakers.set(jobId, wakers.add(wake));
    return () => {
      wakers.delete(wake);
      if (wakers.size === 0) this.#wakers.delete(jobId);
    };
  }

  async #start(): Promise<void> {
    const stored = await this.#stored();
    if (stored === undefined) return;
    // Clients that come back after a restart of the application find the last events in memory, as far as none is gone.
    const start = Math.max(0, stored.newest - this.limits.ringEvents, stored.oldest - 1);
    this.#ring = this.#ringFrom(start);
    this.#follower.start(start, (page) => this.#take(page), this.#markReady);
  }

  async #stored(): Promise<{ oldest: number; newest: number } | undefined> {
    while (!this.#stopped) {
      try {
        return { oldest: await this.feed.oldest(), newest: await this.feed.newest() };
      } catch (error) {
        this.log.warn('the event log cannot be read yet, trying again', { error: messageOf(error) });
        await this.clock.sleep(this.limits.feedPollMs);
      }
    }
    return undefined;
  }

  #ringFrom(start: number): EventRing {
    return new EventRing(start, this.limits.ringEvents, this.limits.ringBytes);
  }

  async #take(page: JobEvent[]): Promise<void> {
    this.#ring.push(page.map((event) => new EventFrame(event)));
    const jobs = new Set(page.map((event) => event.job_id));
    for (const jobId of jobs) for (const wake of this.#wakers.get(jobId) ?? []) wake();
    let written = this.#sent;
    for (const listener of this.#upToDate) {
      this.#advance(listener);
      if (this.#sent - written < FRAMES_PER_TURN) continue;
      await letOthersRun();
      written = this.#sent;
    }
  }

  #stepOf({ cursor, outlet }: Listener): Step {
    const { floor, tail } = this.#ring;
    return nextStep({ cursor, floor, tail, backlog: outlet.backlog(), maxBacklog: this.limits.backlogBytes });
  }

  /** Brings a listener up to date from memory, or leaves it behind. */
  #advance(listener: Listener): void {
    for (;;) {
      const step = this.#stepOf(listener);
      if (step === 'nothing' || listener.ended) return;
      if (step !== 'ring') return void this.#catchUp(listener);
      this.#writeFromRing(listener);
    }
  }

  #writeFromRing(listener: Listener): void {
    const page = this.#ring.after(listener.cursor, this.limits.replayPage, listener.jobId);
    listener.cursor = page.cursor;
    if (page.frames.length > 0) this.write(listener.outlet, page.frames);
  }

  async #catchUp(listener: Listener): Promise<void> {
    this.#upToDate.delete(listener);
    this.#behind.add(listener);
    while (!listener.ended) {
      const step = this.#stepOf(listener);
      if (step === 'nothing') break;
      await this.#takeStep(listener, step);
    }
    if (this.#behind.delete(listener)) this.#upToDate.add(listener);
  }

  async #takeStep(listener: Listener, step: 'wait' | 'ring' | 'feed'): Promise<void> {
    if (step === 'wait') return this.#waitFor(listener);
    listener.blockade = undefined;
    if (step === 'feed') return this.#writeFromFeed(listener);
    this.#writeFromRing(listener);
    await letOthersRun();
  }

  async #waitFor(listener: Listener): Promise<void> {
    const now = this.clock.now();
    listener.blockade = blockadeNow(listener.blockade, listener.outlet.backlog(), now);
    const waited = now - listener.blockade.since;
    if (waited < this.limits.stuckMs) return this.clock.sleep(drainPoll(waited, this.limits.drainPollMs));
    this.end(listener);
    listener.outlet.close(`no data was taken for ${this.limits.stuckMs / 1000} s`);
  }

  async #writeFromFeed(listener: Listener): Promise<void> {
    const { replayPage } = this.limits;
    const { tail } = this;
    try {
      const page = await this.#reads.run(() => this.feed.read(listener.cursor, replayPage, listener.jobId));
      if (listener.ended) return;
      listener.cursor = cursorAfterPage(listener.cursor, page, replayPage, tail);
      if (page.length > 0)
        this.write(
          listener.outlet,
          page.map((event) => new EventFrame(event)),
        );
    } catch (error) {
      this.log.warn('a client waits for events that cannot be read, trying again', { error: messageOf(error) });
      await this.clock.sleep(this.limits.feedPollMs);
    }
  }
}
