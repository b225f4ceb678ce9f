import { readFile } from 'node:fs/promises';
import { WebSocket } from 'ws';
import { App } from '../fixtures/app.js';
import { Jobs, oneTo } from '../fixtures/jobs.js';
import { seeded } from '../fixtures/random.js';
import { anything, frame, PLAIN, RawSocket, SOCKET_IO } from '../fixtures/socket-fuzz.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(180_000);

const MEGABYTE = 1024 * 1024;
const MOST_GROWTH = 250 * MEGABYTE;

describe('sockets of somebody who means no good', () => {
  let app: App;
  let jobs: Jobs;
  beforeAll(async () => {
    app = await App.start();
    jobs = new Jobs(app);
  });
  afterAll(() => app.dispose());

  async function residentBytes(): Promise<number> {
    const status = await readFile(`/proc/${app.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }

  /** Does `harm` while a job runs and another client follows it, who must miss nothing. */
  async function beside(harm: () => Promise<void>): Promise<void> {
    const follower = new WebSocket(`ws://127.0.0.1:${app.ports.TRAINING}${PLAIN}`);
    const updates: { job_id: string; number: number }[] = [];
    follower.on('message', (data: Buffer) => {
      const update = JSON.parse(data.toString()) as { type: string; job_id: string; number: number };
      if (update.type === 'job_update') updates.push(update);
    });
    await new Promise((resolve) => follower.once('message', resolve));
    const before = await residentBytes();
    const id = await jobs.post({ data: { steps: 40, seconds: 0.1 } });
    await harm();
    await jobs.until(id, 'completed');
    const stored = (await jobs.events(id)).length;
    const numbers = () => updates.filter(({ job_id }) => job_id === id).map(({ number }) => number);
    await eventually('every update has come', () => numbers().length >= stored);
    expect(numbers()).toEqual(oneTo(stored));
    expect(await residentBytes()).toBeLessThan(before + MOST_GROWTH);
    expect((await app.call('GET', '/health')).status).toBe(200);
    expect(app.output).not.toMatch(/"level":"error"/);
    follower.terminate();
  }

  it.each([
    ['the plain WebSocket', PLAIN],
    ['Socket.IO', SOCKET_IO],
  ])('send nonsense to %s', async (what, path) => {
    const random = seeded(what);
    await beside(async () => {
      for (let round = 0; round < 150; round += 1) {
        const socket = await RawSocket.open(app.ports.TRAINING, path);
        if (path === SOCKET_IO) socket.write(frame({ payload: '40' }));
        for (let sent = random.below(12); sent >= 0; sent -= 1) socket.write(anything(random));
        if (random.below(3) === 0) await socket.ended(20);
        socket.destroy();
      }
    });
  });

  it.each([
    ['an unmasked frame', frame({ masked: false, payload: '{"type":"ping"}' })],
    ['an opcode that is none', frame({ opcode: 3, payload: 'x' })],
    ['reserved bits', frame({ reserved: 7, payload: '{}' })],
    ['invalid UTF-8', frame({ payload: Buffer.from([0xc3, 0x28]) })],
    ['a length of 2^63', frame({ length: 1n << 63n })],
    ['a length of 2 GB', frame({ length: 1n << 31n })],
    ['a fragmented control frame', frame({ opcode: 9, fin: false })],
    ['a long control frame', frame({ opcode: 9, payload: 'x'.repeat(126) })],
    ['a continuation of nothing', frame({ opcode: 0, payload: 'x' })],
  ])('are closed for %s', async (_what, bytes) => {
    for (const path of [PLAIN, SOCKET_IO]) {
      const socket = await RawSocket.open(app.ports.TRAINING, path);
      socket.write(bytes);
      expect([path, await socket.ended(20_000)]).toEqual([path, true]);
    }
  });

  it('subscribe thousands of times, and are closed for it', async () => {
    const wish = frame({ payload: '{"type":"subscribe","job_id":"00000000-0000-4000-8000-000000000000"}' });
    await beside(async () => {
      const sockets = await Promise.all(oneTo(5).map(() => RawSocket.open(app.ports.TRAINING, PLAIN)));
      for (const socket of sockets) for (let sent = 0; sent < 4000; sent += 1) socket.write(wish);
      expect(await Promise.all(sockets.map((socket) => socket.ended(30_000)))).toEqual(oneTo(5).map(() => true));
    });
  });

  it('send endless pieces of one message', async () => {
    await beside(async () => {
      const socket = await RawSocket.open(app.ports.TRAINING, PLAIN);
      socket.write(frame({ fin: false, payload: '"' }));
      for (let sent = 0; sent < 200; sent += 1)
        socket.write(frame({ opcode: 0, fin: false, payload: 'x'.repeat(60_000) }));
      expect(await socket.ended(20_000)).toBe(true);
    });
  });

  it('open sessions by polling and send nonsense there', async () => {
    const random = seeded('polling');
    const url = `http://127.0.0.1:${app.ports.TRAINING}/socket.io/?EIO=4&transport=polling`;
    await beside(async () => {
      for (let round = 0; round < 60; round += 1) {
        const opened = await (await fetch(url)).text();
        const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
        const body =
          random.below(2) === 0 ? random.bytes(random.below(3000)) : `40\x1e42["subscribe",${random.below(9)}`;
        const sent = await fetch(`${url}&sid=${sid}`, { method: 'POST', body });
        expect([200, 400, 413]).toContain(sent.status);
        expect((await fetch(`${url}&sid=${random.bytes(9).toString('hex')}`)).status).toBe(400);
      }
      const large = await fetch(`${url}&sid=x`, { method: 'POST', body: 'x'.repeat(2 * MEGABYTE) });
      expect(large.status).toBe(400);
    });
  });
});
