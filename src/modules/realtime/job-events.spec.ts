import { get, type IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { until } from '../../../test/fixtures/live-feed.js';
import { LiveStack } from '../../../test/fixtures/live-stack.js';
import { ProblemFilter } from '../../kernel/problem.filter.js';
import { validationPipe } from '../../kernel/validation.pipe.js';
import { JobEventsController } from './job-events.controller.js';
import { JobEventsService } from './job-events.service.js';

jest.setTimeout(30_000);

/** An open event stream, as text. */
class Reader {
  text = '';
  ended = false;
  constructor(readonly response: IncomingMessage) {
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => (this.text += chunk));
    response.on('end', () => (this.ended = true));
    response.on('error', () => (this.ended = true));
  }

  get events(): { id: number; event: string; data: { number: number; data: object } }[] {
    const read = /id: (\d+)\nevent: (.+)\ndata: (.+)\n\n/g;
    return [...this.text.matchAll(read)].map(([, id, event, data]) => ({
      id: Number(id),
      event: event ?? '',
      data: JSON.parse(data ?? '') as { number: number; data: object },
    }));
  }

  get ids(): number[] {
    return this.events.map(({ id }) => id);
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('GET /api/training/jobs/{id}/events', () => {
  let stack: LiveStack;
  let app: NestExpressApplication;
  let job: string;

  beforeEach(async () => {
    stack = new LiveStack({ heartbeatMs: 60_000 });
    job = stack.feed.addJob();
    await stack.start();
    @Module({ controllers: [JobEventsController], providers: [{ provide: JobEventsService, useValue: stack.events }] })
    class EventsModule {}
    app = await NestFactory.create<NestExpressApplication>(EventsModule, { logger: false });
    app.useGlobalPipes(validationPipe());
    app.useGlobalFilters(new ProblemFilter(stack.log));
    await app.listen(0, '127.0.0.1');
  });

  afterEach(async () => {
    await stack.stop();
    app.getHttpServer().closeAllConnections();
    await app.close();
  });

  const address = async (query = '', id = job): Promise<string> =>
    `${await app.getUrl()}/api/training/jobs/${id}/events${query}`;

  function write(count: number): void {
    for (let index = 0; index < count; index += 1) stack.feed.write(job, index % 2 === 0 ? 'progress' : 'metric');
  }

  async function open(query = '', headers: Record<string, string> = {}): Promise<Reader> {
    const url = await address(query);
    return new Promise((resolve, reject) => {
      const asked = get(url, { headers: { Accept: 'text/event-stream', ...headers } }, (response) =>
        resolve(new Reader(response)),
      );
      asked.on('error', reject);
    });
  }

  describe('as JSON', () => {
    it('pages through all events, oldest first', async () => {
      write(25);
      const numbers: number[] = [];
      for (let after: number | null = 0; after !== null;) {
        const page = (await (await fetch(await address(`?after=${after}&limit=10`))).json()) as {
          events: { number: number }[];
          next_after: number | null;
        };
        numbers.push(...page.events.map(({ number }) => number));
        after = page.next_after;
      }
      expect(numbers).toEqual(upTo(25));
    });

    it('shows number, time, type, step and data, 100 at most where nothing is said', async () => {
      write(150);
      const page = (await (await fetch(await address())).json()) as { events: object[]; next_after: number };
      expect(page.events).toHaveLength(100);
      expect(page.next_after).toBe(100);
      expect(page.events[0]).toEqual({
        number: 1,
        time: stack.feed.events[0]?.time,
        type: 'progress',
        step: null,
        data: { job: expect.objectContaining({ status: 'running' }) as object },
      });
    });

    it.each(['limit=0', 'limit=1001', 'limit=ten', 'after=-1', 'after=1.5', 'after=x'])(
      'refuses ?%s',
      async (query) => {
        const response = await fetch(await address(`?${query}`));
        expect(response.status).toBe(422);
        expect(((await response.json()) as { detail: string }).detail).toContain(query.split('=')[0]);
      },
    );

    it.each(['a1b2c3d4-e5f6-7890-abcd-ef1234567890', 'nonsense'])('does not find the job %s', async (id) => {
      for (const accept of ['application/json', 'text/event-stream']) {
        const response = await fetch(await address('', id), { headers: { Accept: accept } });
        expect(response.status).toBe(404);
        expect(await response.json()).toMatchObject({ detail: `Job not found: ${id}` });
      }
    });
  });

  describe('as an event stream', () => {
    it('replays, goes on live, and ends with the job', async () => {
      write(250);
      const reader = await open();
      expect(reader.response.headers['content-type']).toContain('text/event-stream');
      expect(reader.response.headers['cache-control']).toBe('no-cache');
      await until(() => reader.events.length === 250);
      expect(stack.live.openSockets().sse).toBe(1);
      stack.feed.write(job, 'finished', { status: 'completed' });
      await until(() => reader.ended);
      expect(reader.ids).toEqual(upTo(251));
      expect(reader.events.at(-1)).toMatchObject({ event: 'finished', data: { number: 251, type: 'finished' } });
      expect(stack.live.openSockets().sse).toBe(0);
    });

    it.each([99, 100, 101, 200])('ends where the job ended before, after %i events', async (count) => {
      write(count - 1);
      stack.feed.write(job, 'failed', { status: 'failed' });
      const reader = await open();
      await until(() => reader.ended);
      expect(reader.ids).toEqual(upTo(count));
    });

    it('goes on behind the event seen last, which the header tells better than the address', async () => {
      write(20);
      const byHeader = await open('?after=3', { 'Last-Event-ID': '15' });
      const byAddress = await open('?after=10');
      await until(() => byHeader.events.length === 5 && byAddress.events.length === 10);
      expect(byHeader.ids[0]).toBe(16);
      expect(byAddress.ids[0]).toBe(11);
    });

    it('tells a browser that has seen the end not to come again', async () => {
      stack.feed.write(job, 'failed', { status: 'failed' });
      expect((await open('', { 'Last-Event-ID': '1' })).response.statusCode).toBe(204);
    });

    it('goes on for a job that failed and runs again', async () => {
      stack.feed.write(job, 'failed', { status: 'failed' });
      stack.feed.write(job, 'retried', { status: 'pending' });
      const reader = await open();
      await until(() => reader.events.length === 2);
      write(1);
      await until(() => reader.events.length === 3);
    });

    it('refuses an id that no event has', async () => {
      const reader = await open('', { 'Last-Event-ID': 'abc' });
      expect(reader.response.statusCode).toBe(422);
      await until(() => reader.ended);
      expect(reader.text).toContain('Last-Event-ID: \\"abc\\" is not the number of an event');
    });

    it('shows that it lives', async () => {
      Object.assign(stack.limits, { heartbeatMs: 20 });
      const reader = await open();
      await until(() => reader.text.split(': still here\n\n').length > 3);
      write(1);
      await until(() => reader.events.length === 1);
    });

    it('reads no further than a slow client takes, and loses nothing', async () => {
      Object.assign(stack.limits, { ringEvents: 20 });
      const reader = await open();
      reader.response.pause();
      for (let index = 0; index < 1500; index += 1) {
        stack.feed.write(job, 'progress', { metrics: { note: 'x'.repeat(20_000) } });
        if (index % 50 === 0) await wait(2);
      }
      await wait(100);
      const reads = stack.feed.reads;
      await wait(200);
      expect(stack.feed.reads - reads).toBeLessThan(40);
      reader.response.resume();
      await until(() => reader.events.length === 1500);
      expect(reader.ids).toEqual(upTo(1500));
    });

    it('leaves nothing behind when its client goes', async () => {
      const readers = await Promise.all([open(), open(), open()]);
      await until(() => stack.live.openSockets().sse === 3);
      for (const reader of readers) reader.response.destroy();
      await until(() => stack.live.openSockets().sse === 0);
    });

    it('ends when the server goes away', async () => {
      const reader = await open();
      await until(() => reader.text !== '');
      await stack.live.close();
      await until(() => reader.ended);
    });
  });
});
