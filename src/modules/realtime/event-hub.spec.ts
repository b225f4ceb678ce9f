import { setTimeout as wait } from 'node:timers/promises';
import { FakeFeed, FakeLog, until } from '../../../test/fixtures/live-feed.js';
import { SystemClock } from '../../kernel/clock.js';
import type { JobEvent } from '../training/job-events.port.js';
import { EventHub } from './event-hub.js';
import type { Outlet } from './listener.js';
import { EventFrame, type LiveFrame } from './live-frame.js';
import { LiveLimits } from './live-limits.js';

/** A client that takes what it gets at once, unless it is stalled. */
class FakeClient implements Outlet {
  seen: JobEvent[] = [];
  stalled = false;
  closedFor: string | undefined;
  mostBacklog = 0;
  #backlog = 0;

  backlog(): number {
    return this.#backlog;
  }

  send(frames: readonly LiveFrame[]): void {
    for (const frame of frames) {
      if (frame instanceof EventFrame) this.seen.push(frame.event);
      if (this.stalled) this.#backlog += frame.text.length;
    }
    this.mostBacklog = Math.max(this.mostBacklog, this.#backlog);
  }

  resume(): void {
    this.stalled = false;
    this.#backlog = 0;
  }

  close(reason: string): void {
    this.closedFor = reason;
  }

  get streams(): number[] {
    return this.seen.map(({ stream }) => stream);
  }
}

const streamsOf = (events: JobEvent[]): number[] => events.map(({ stream }) => stream);
const frameBytes = 600;

describe('EventHub', () => {
  let feed: FakeFeed;
  let limits: LiveLimits;
  let hub: EventHub;
  let log: FakeLog;

  async function start(): Promise<void> {
    log = new FakeLog();
    hub = new EventHub(feed, new SystemClock(), log, limits);
    hub.onApplicationBootstrap();
    if (!feed.broken) await hub.ready;
  }

  function listen(after?: number, jobId?: string): FakeClient {
    const client = new FakeClient();
    hub.listen(client, jobId, after ?? hub.tail);
    return client;
  }

  beforeEach(() => {
    feed = new FakeFeed();
    limits = Object.assign(new LiveLimits(), { feedPollMs: 20, drainPollMs: 2, followPage: 20, replayPage: 10 });
  });

  afterEach(() => hub.onModuleDestroy());

  it('gives every listener every event of 20 writers, once and in order', async () => {
    feed = new FakeFeed(3);
    limits.ringEvents = 50;
    const jobs = Array.from({ length: 20 }, () => feed.addJob());
    await start();
    const all = [listen(), listen(), listen()];
    const single = jobs.slice(0, 5).map((job) => ({ job, client: listen(undefined, job) }));
    await Promise.all(
      jobs.map(async (job) => {
        for (let index = 0; index < 50; index += 1) {
          feed.write(job);
          await wait(Math.random() * 4);
        }
      }),
    );
    const late = listen(0);
    const newest = streamsOf(feed.events).at(-1);
    await until(() => [...all, late].every((client) => client.streams.at(-1) === newest));
    for (const client of [...all, late]) expect(client.streams).toEqual(streamsOf(feed.events));
    for (const { job, client } of single)
      expect(client.streams).toEqual(streamsOf(feed.events.filter((event) => event.job_id === job)));
  });

  it('does not write to a slow client, and brings it up to date later, from the log and from memory', async () => {
    limits.ringEvents = 30;
    limits.backlogBytes = 2000;
    const job = feed.addJob();
    await start();
    const quick = listen();
    const slow = listen();
    slow.stalled = true;
    for (let index = 0; index < 400; index += 1) {
      feed.write(job);
      if (index % 10 === 0) await wait(1);
    }
    await until(() => quick.seen.length === 400);
    expect(hub.listenersBehind).toBe(1);
    expect(slow.mostBacklog).toBeLessThan(2000 + limits.replayPage * frameBytes);
    slow.resume();
    await until(() => slow.seen.length === 400);
    expect(slow.streams).toEqual(streamsOf(feed.events));
    await until(() => hub.listenersBehind === 0);
    feed.write(job);
    await until(() => slow.seen.length === 401);
  });

  it('holds one page of a slow client that replays a long log', async () => {
    limits.ringEvents = 10;
    limits.backlogBytes = 1;
    const job = feed.addJob();
    for (let index = 0; index < 300; index += 1) feed.write(job);
    await start();
    const client = new FakeClient();
    client.stalled = true;
    hub.listen(client, undefined, 0);
    await wait(60);
    expect(client.seen).toHaveLength(limits.replayPage);
    client.resume();
    await until(() => client.seen.length === 300);
    expect(client.streams).toEqual(streamsOf(feed.events));
  });

  it('closes a client that takes nothing for too long, and says why', async () => {
    limits.backlogBytes = 100;
    limits.stuckMs = 40;
    const job = feed.addJob();
    await start();
    const stuck = listen();
    stuck.stalled = true;
    for (let index = 0; index < 50; index += 1) feed.write(job);
    await until(() => stuck.closedFor !== undefined);
    expect(stuck.closedFor).toBe('no data was taken for 0.04 s');
    expect(hub.listenersBehind).toBe(0);
  });

  it('finds events that nobody told it of', async () => {
    feed.tells = false;
    const job = feed.addJob();
    await start();
    const client = listen();
    feed.write(job);
    await until(() => client.seen.length === 1);
  });

  it('starts when the log can be read at last, and goes on when it was away', async () => {
    feed.broken = true;
    const job = feed.addJob();
    await start();
    feed.write(job);
    await wait(30);
    feed.broken = false;
    await hub.ready;
    const client = listen(0);
    feed.broken = true;
    feed.write(job);
    await wait(30);
    feed.broken = false;
    await until(() => client.seen.length === 2);
    expect(client.streams).toEqual(streamsOf(feed.events));
    expect(log.lines.filter(({ level }) => level === 'warn').length).toBeGreaterThan(1);
  });

  it('replays what memory holds without reading the log, also after a restart', async () => {
    const job = feed.addJob();
    for (let index = 0; index < 100; index += 1) feed.write(job);
    await start();
    const reads = feed.reads;
    const after = feed.events[40]?.stream ?? 0;
    const client = listen(after);
    expect(client.streams).toEqual(streamsOf(feed.events.slice(41)));
    await expect(hub.startAfter(after)).resolves.toEqual({ cursor: after });
    expect(feed.reads - reads).toBeLessThanOrEqual(1);
  });

  it('names the gap where the log was cut', async () => {
    limits.ringEvents = 10;
    const job = feed.addJob();
    for (let index = 0; index < 100; index += 1) feed.write(job);
    const forgotten = feed.events[20]?.stream ?? 0;
    feed.forget(50);
    const oldest = feed.events[0]?.stream ?? 0;
    await start();
    await expect(hub.startAfter(forgotten)).resolves.toEqual({
      cursor: forgotten,
      gap: { after: forgotten, oldest },
    });
    await expect(hub.startAfter(0)).resolves.toEqual({ cursor: 0 });
    await expect(hub.startAfter(1e9)).resolves.toEqual({ cursor: hub.tail, gap: { after: 1e9, oldest } });
  });

  it('names the gap also where memory would have had room for what is gone', async () => {
    const job = feed.addJob();
    for (let index = 0; index < 20; index += 1) feed.write(job);
    feed.forget(10);
    const oldest = feed.events[0]?.stream ?? 0;
    await start();
    await expect(hub.startAfter(2)).resolves.toEqual({ cursor: 2, gap: { after: 2, oldest } });
    expect(listen(2).streams).toEqual([]);
    const whole = listen(oldest - 1);
    expect(whole.streams).toEqual(streamsOf(feed.events));
  });

  it('ends a listener at once', async () => {
    const job = feed.addJob();
    await start();
    const client = new FakeClient();
    const listener = hub.listen(client, undefined, hub.tail);
    hub.end(listener);
    feed.write(job);
    await wait(30);
    expect(client.seen).toEqual([]);
  });
});
