import { setTimeout as wait } from 'node:timers/promises';
import { jest } from '@jest/globals';
import type { Socket } from 'socket.io-client';
import { until } from '../../../test/fixtures/live-feed.js';
import { LiveStack } from '../../../test/fixtures/live-stack.js';

jest.setTimeout(30_000);

type Received = Record<string, unknown>;

/** Keeps what a Socket.IO client got, by event. */
class Ear {
  readonly order: string[] = [];
  readonly #got = new Map<string, Received[]>();

  constructor(readonly socket: Socket) {
    socket.onAny((event: string, body: Received) => {
      this.order.push(event);
      this.#got.set(event, [...this.of(event), body]);
    });
  }

  of(event: string): Received[] {
    return this.#got.get(event) ?? [];
  }

  get streams(): unknown[] {
    return this.of('job_update').map(({ stream }) => stream);
  }

  async subscribe(wanted?: unknown): Promise<Received> {
    return (await this.socket.timeout(2000).emitWithAck('subscribe', wanted)) as Received;
  }
}

describe.each([['websocket'], ['polling'], ['polling then websocket']])('SocketIoGateway by %s', (way) => {
  const transports = way === 'polling then websocket' ? ['polling', 'websocket'] : [way];
  let stack: LiveStack;
  let job: string;
  let other: string;

  beforeEach(async () => {
    stack = new LiveStack();
    job = stack.feed.addJob();
    other = stack.feed.addJob();
    await stack.start(2);
  });

  afterEach(() => stack.stop());

  const streams = (jobId?: string): number[] =>
    stack.feed.events.filter((event) => jobId === undefined || event.job_id === jobId).map(({ stream }) => stream);

  function write(count: number): void {
    for (let index = 0; index < count; index += 1) stack.feed.write(index % 2 === 0 ? job : other);
  }

  async function connect(index = 0): Promise<Ear> {
    const ear = new Ear(stack.socketIo({ transports }, index));
    await until(() => ear.of('connection').length === 1, 'the connection is told');
    return ear;
  }

  async function caughtUp(ear: Ear, expected: () => number[]): Promise<void> {
    await until(() => ear.streams.length >= expected().length, 'all updates are there');
    expect(ear.streams).toEqual(expected());
  }

  it('says where it stands, and sends what is subscribed to, on every port', async () => {
    write(4);
    await until(() => stack.hub.tail === streams().at(-1));
    for (const index of [0, 1]) {
      const ear = await connect(index);
      expect(ear.of('connection')[0]).toMatchObject({ type: 'connection', last_event: streams().at(-1) });
      const before = streams().length;
      expect(await ear.subscribe({ job_id: null })).toEqual({ ok: true, stream: streams().at(-1) });
      write(4);
      await caughtUp(ear, () => streams().slice(before));
      expect(ear.of('job_update')[0]).toMatchObject({
        type: 'job_update',
        job_id: job,
        status: 'running',
        total_epochs: 3,
      });
    }
  });

  it('has a room for each job and one for all, and never sends an update twice', async () => {
    const ear = await connect();
    await ear.subscribe({ job_id: job, after: 0 });
    await ear.subscribe({ job_id: other, after: 0 });
    write(10);
    await until(() => ear.streams.length === 10);
    await ear.subscribe();
    write(10);
    await until(() => ear.streams.length === 20);
    expect(ear.streams.slice(10)).toEqual(streams().slice(10));
    expect(await ear.socket.timeout(2000).emitWithAck('unsubscribe')).toEqual({ ok: true });
    write(10);
    await wait(50);
    expect(ear.streams).toHaveLength(20);
  });

  it('replays everything behind a number, also after it was cut off', async () => {
    write(250);
    const ear = await connect();
    expect(await ear.subscribe({ after: 0 })).toEqual({ ok: true, stream: 0 });
    await caughtUp(ear, () => streams());
    ear.socket.io.engine.close();
    write(20);
    await until(() => ear.of('connection').length === 2, 'it is back');
    await ear.subscribe({ after: ear.streams.at(-1) });
    write(20);
    await caughtUp(ear, () => streams());
  });

  it('tells of a gap and the state first', async () => {
    write(30);
    await until(() => stack.hub.tail === streams().at(-1));
    const ear = await connect();
    expect(await ear.subscribe({ after: 1e9 })).toMatchObject({ ok: true });
    write(2);
    await caughtUp(ear, () => streams().slice(30));
    expect(ear.order).toEqual(['connection', 'gap', 'snapshot', 'job_update', 'job_update']);
    expect(ear.of('gap')[0]).toMatchObject({ type: 'gap', after: 1e9, oldest: streams()[0] });
    expect(ear.of('snapshot')[0]).toMatchObject({ type: 'snapshot', stream: streams()[29] });
  });

  it('answers pings, and says what is wrong with what it does not know', async () => {
    const ear = await connect();
    ear.socket.emit('ping');
    await until(() => ear.of('pong').length === 1);
    expect(await ear.subscribe({ job_id: 'x' })).toMatchObject({
      ok: false,
      error: expect.stringContaining('"x"') as string,
    });
    expect(await ear.subscribe('all')).toMatchObject({ ok: false });
    expect(await ear.subscribe({ job_id: 'a1b2c3d4-e5f6-7890-abcd-ef1234567890' })).toEqual({
      ok: false,
      error: 'Job not found: a1b2c3d4-e5f6-7890-abcd-ef1234567890',
    });
    ear.socket.emit('dance', 1);
    ear.socket.emit('error', 'what the library itself listens for');
    ear.socket.emit('subscribe', { after: -1 });
    ear.socket.emit('subscribe', 'no acknowledgement wanted', 'nor this');
    await until(() => ear.of('error').length === 4);
    expect(ear.of('error')[0]?.['message']).toBe(
      'event: "dance" is not known; known are ping, subscribe, unsubscribe, watch, unwatch',
    );
    expect(await ear.subscribe()).toMatchObject({ ok: true });
  });

  it('keeps serving others while one does not take anything', async () => {
    Object.assign(stack.limits, { ringEvents: 100 });
    const quick = await connect();
    const slow = await connect();
    await Promise.all([quick.subscribe(), slow.subscribe()]);
    const read = stopReading(slow.socket);
    for (let index = 0; index < 400; index += 1) {
      stack.feed.write(job, 'progress', { metrics: { note: 'x'.repeat(20_000) } });
      if (index % 20 === 0) await wait(2);
    }
    await caughtUp(quick, () => streams());
    if (way !== 'polling') expect(stack.live.clientsBehind()).toBe(1);
    read();
    await caughtUp(slow, () => streams());
  });
});

/** Makes a client take nothing from the network; the answer lets it go on. Long polling has nothing to stop. */
function stopReading(socket: Socket): () => void {
  const { transport } = socket.io.engine as unknown as {
    transport: { ws?: { _socket: { pause(): void; resume(): void } } };
  };
  transport.ws?._socket.pause();
  return () => transport.ws?._socket.resume();
}
