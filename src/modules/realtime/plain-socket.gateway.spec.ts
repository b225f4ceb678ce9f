import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { until } from '../../../test/fixtures/live-feed.js';
import { LiveStack, type PlainClient } from '../../../test/fixtures/live-stack.js';

jest.setTimeout(30_000);

describe('PlainSocketGateway', () => {
  let stack: LiveStack;
  let job: string;
  let other: string;

  beforeEach(() => {
    stack = new LiveStack();
    job = stack.feed.addJob();
    other = stack.feed.addJob();
  });

  afterEach(() => stack.stop());

  const streams = (jobId?: string): number[] =>
    stack.feed.events.filter((event) => jobId === undefined || event.job_id === jobId).map(({ stream }) => stream);

  function write(count: number): void {
    for (let index = 0; index < count; index += 1) stack.feed.write(index % 2 === 0 ? job : other);
  }

  async function caughtUp(client: PlainClient, expected: () => number[]): Promise<void> {
    await until(() => client.streams.length >= expected().length, 'all updates are there');
    expect(client.streams).toEqual(expected());
  }

  it('tells what happens from now on, first of all where that begins', async () => {
    write(5);
    await stack.start();
    const client = await stack.plain().connected();
    expect(client.frames).toHaveLength(1);
    expect(client.frames[0]).toMatchObject({ type: 'connection', status: 'connected', last_event: streams().at(-1) });
    write(5);
    await caughtUp(client, () => streams().slice(5));
  });

  it('sends updates as the guide reads them', async () => {
    await stack.start();
    const client = await stack.plain().connected();
    const event = stack.feed.write(job, 'progress', { progress_percent: 50, current_epoch: 1.5 });
    await until(() => client.of('job_update').length === 1);
    expect(client.of('job_update')[0]).toEqual({
      type: 'job_update',
      job_id: job,
      status: 'running',
      progress_percent: 50,
      current_epoch: 1.5,
      total_epochs: 3,
      metrics: null,
      timestamp: event.time,
      step: 0,
      total_steps: 40,
      seconds_left: null,
      event: 'progress',
      number: 1,
      paused: false,
      stream: event.stream,
    });
  });

  it('replays from the number seen last, all or one job', async () => {
    write(300);
    await stack.start();
    const seen = streams()[99] ?? 0;
    const all = stack.plain(`/ws/training?after=${seen}`);
    const everything = stack.plain('/ws/training?after=0');
    const single = stack.plain(`/api/training/ws?job=${job}&after=${seen}`);
    write(10);
    await caughtUp(all, () => streams().slice(100));
    await caughtUp(everything, () => streams());
    await caughtUp(single, () => streams(job).filter((stream) => stream > seen));
  });

  it('tells a client that comes back too late what it missed, and the state, before it goes on', async () => {
    stack.limits.ringEvents = 10;
    const ended = stack.feed.addJob();
    write(100);
    stack.feed.write(ended, 'finished', { status: 'completed' });
    stack.feed.forget(40);
    const oldest = streams()[0];
    await stack.start();
    const client = stack.plain('/ws/training?after=3');
    await caughtUp(client, () => streams());
    expect(client.frames.slice(0, 4).map(({ type }) => type)).toEqual(['connection', 'gap', 'snapshot', 'job_update']);
    expect(client.of('gap')[0]).toEqual({ type: 'gap', after: 3, oldest, timestamp: expect.any(String) as string });
    const snapshot = client.of('snapshot')[0];
    expect(snapshot).toMatchObject({ stream: streams().at(-1) });
    const listed = (snapshot?.['jobs'] ?? []) as { job_id: string }[];
    expect(listed.map(({ job_id }) => job_id)).toEqual([job, other]);
  });

  it('changes its subscriptions without a loss or a repetition', async () => {
    await stack.start();
    const client = await stack.plain().connected();
    write(10);
    await caughtUp(client, () => streams());
    const subscribed = await client.send({ type: 'subscribe', job_id: job }, 'subscribed');
    expect(subscribed).toMatchObject({ job_id: job, stream: expect.any(Number) as number });
    write(10);
    const narrowed = () => [...streams().slice(0, 10), ...streams(job).slice(5)];
    await caughtUp(client, narrowed);
    await client.send({ type: 'subscribe', job_id: other }, 'subscribed');
    await client.send({ type: 'unsubscribe', job_id: job }, 'unsubscribed');
    write(2);
    await caughtUp(client, () => [...narrowed().slice(0, 15), ...streams(other).slice(10)]);
    await client.send({ type: 'unsubscribe' }, 'unsubscribed');
    write(10);
    await wait(50);
    expect(client.streams).toHaveLength(16);
  });

  it.each([['ping'], ['{"type":"ping"}']])('answers %s in JSON', async (message) => {
    await stack.start();
    const client = await stack.plain().connected();
    expect(await client.send(message, 'pong')).toEqual({ type: 'pong', timestamp: expect.any(String) as string });
  });

  it.each([
    ['an unknown message', '{"type":"dance"}', 'type: "dance" is not known'],
    ['no JSON', 'hello', '"hello" is neither "ping" nor JSON'],
    ['bytes', Buffer.from([1, 2, 3]), 'A binary message of 3 bytes; send text'],
    ['too much', 'x'.repeat(64 * 1024 + 1), 'A message of 65537 bytes; the most is 65536'],
    ['no id', '{"type":"subscribe","job_id":"x"}', 'job_id: "x" is not the id of a job'],
    ['an unknown job', { type: 'subscribe', job_id: 'a1b2c3d4-e5f6-7890-abcd-ef1234567890' }, 'Job not found: a1b2'],
  ])('answers %s with what is wrong, and stays', async (_name, message, problem) => {
    await stack.start();
    const client = await stack.plain().connected();
    expect((await client.send(message, 'error'))['message']).toContain(problem);
    await client.send('ping', 'pong');
    write(2);
    await caughtUp(client, () => streams());
  });

  it('says what is wrong with its address', async () => {
    await stack.start();
    const client = stack.plain('/ws/training?after=x&job=1');
    await until(() => client.of('error').length === 1);
    expect(client.frames.map(({ type }) => type)).toEqual(['connection', 'error']);
    expect(client.of('error')[0]?.['message']).toContain('job_id: "1" is not the id of a job');
  });

  it('outlives every kind of garbage', async () => {
    await stack.start();
    const calm = await stack.plain().connected();
    for (let round = 0; round < 40; round += 1) {
      const wild = await stack.plain().connected();
      for (let index = 0; index < 10; index += 1)
        wild.socket.send(randomBytes(1 + round * 20), { binary: index % 2 === 0 });
      wild.socket.send('{"type":"subscribe","after":0}');
      // Bytes that are no frames at all.
      const { _socket: raw } = wild.socket as unknown as { _socket: { write(data: Buffer): void } };
      raw.write(randomBytes(200));
    }
    await until(() => stack.live.openSockets().websocket === 1, 'the wild ones are gone');
    write(4);
    await caughtUp(calm, () => streams());
  });

  it('closes a client that asks and asks and takes no answer', async () => {
    Object.assign(stack.limits, { floodBytes: 200_000 });
    await stack.start();
    const client = await stack.plain().connected();
    const { _socket: raw } = client.socket as unknown as { _socket: { pause(): void } };
    raw.pause();
    const flood = setInterval(() => {
      for (let index = 0; index < 3000; index += 1) client.socket.send(`x${'y'.repeat(500)}`);
    }, 5);
    await until(() => stack.live.openSockets().websocket === 0);
    clearInterval(flood);
  });

  it('closes peers that do not answer pings, and only those', async () => {
    stack = new LiveStack({ pingMs: 40 });
    await stack.start();
    const living = await stack.plain().connected();
    const dead = await stack.plain().connected();
    (dead.socket as unknown as { _socket: { pause(): void } })._socket.pause();
    await until(() => stack.live.openSockets().websocket === 1);
    await wait(100);
    expect(living.closed).toBeUndefined();
  });

  it('keeps serving others while one does not read, and then serves that one too', async () => {
    stack.limits.ringEvents = 100;
    await stack.start();
    const quick = await stack.plain().connected();
    const slow = await stack.plain().connected();
    const raw = (slow.socket as unknown as { _socket: { pause(): void; resume(): void } })._socket;
    raw.pause();
    const note = 'x'.repeat(20_000);
    for (let index = 0; index < 600; index += 1) {
      stack.feed.write(job, 'progress', { metrics: { note } });
      if (index % 20 === 0) await wait(2);
    }
    await caughtUp(quick, () => streams());
    await until(() => stack.live.clientsBehind() === 1);
    raw.resume();
    await caughtUp(slow, () => streams());
  });
});
