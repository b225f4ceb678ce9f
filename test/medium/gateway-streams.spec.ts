import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import OpenAI from 'openai';
import type { GatewayApp } from '../fixtures/gateway-app.js';
import { CHAT, GatewaySite, messages, one, SAID, two } from '../fixtures/gateway-site.js';
import { chunkOf, StandInEngine, type Behaviour } from '../fixtures/stand-in-engine.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(120_000);

describe('streams and failures of engines, through the gateway', () => {
  let site: GatewaySite;
  let first: StandInEngine;
  let second: StandInEngine;
  let app: GatewayApp;

  beforeEach(async () => {
    site = await GatewaySite.open();
    ({ first, second, app } = site);
  });
  afterEach(() => site.close());

  const said = (model: string) => site.said(model);

  const dies: Behaviour = (_, __, socket) => void socket.destroy();

  it('tries another replica before the first token, with the same body', async () => {
    for (const behaviour of [
      dies,
      ((_, response) => void response.writeHead(503).end('{}')) satisfies Behaviour,
      ((_, response) =>
        void response
          .writeHead(404, { 'content-type': 'application/json' })
          .end('{"error":{"message":"no such model"}}')) satisfies Behaviour,
      ((_, response, socket) =>
        void (
          response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders(),
          setTimeout(() => socket.destroy(), 20)
        )) satisfies Behaviour,
      ((_, response, socket) =>
        void (
          response.writeHead(200, { 'content-type': 'application/json', 'content-length': 500 }).write('{"id":'),
          setTimeout(() => socket.destroy(), 20)
        )) satisfies Behaviour,
    ]) {
      first.behaviour = behaviour;
      expect(await said('champion')).toEqual({ text: SAID, models: new Set([one.modelId]) });
      expect(app.pool.outcomes.splice(0)).toEqual([
        ['replica-1', 'failed'],
        ['replica-2', 'ok'],
      ]);
    }
    expect(second.asked.at(-1)?.raw).toEqual(first.asked.at(-1)?.raw);
    expect(await app.registry.metrics()).toContain(
      'clara_gateway_retries_total{model="gemma",adapter="amt-lora-r16-v1"} 5',
    );
  });

  it('gives up after three attempts, and at once where the budget is spent', async () => {
    first.behaviour = dies;
    second.behaviour = dies;
    await expect(said('gemma')).rejects.toMatchObject({ status: 503 });
    expect(app.pool.outcomes.splice(0).length).toBe(3);
    app.pool.retries = false;
    await expect(said('gemma')).rejects.toMatchObject({ status: 503 });
    expect(app.pool.outcomes).toEqual([['replica-1', 'failed']]);
  });

  it('ends a stream whose engine dies in the middle with an error event, and never tries again', async () => {
    first.behaviour = ({ model }, response, socket) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunkOf(model, 'Der '));
      const half = chunkOf(model, 'Antrag').slice(0, 40);
      setTimeout(() => response.write(half, () => setTimeout(() => socket.destroy(), 20)), 20);
    };
    const response = await app.post(CHAT, { model: 'gemma', messages, stream: true });
    const events = (await response.text()).split('\n\n').filter(Boolean);
    expect(events.map((event) => Object.keys(JSON.parse(event.slice(6)) as object)[0])).toEqual(['id', 'error']);
    expect(events[1]).toMatch(/broke off.*"code":"engine_failed"/);
    await expect(said('gemma')).rejects.toThrow(OpenAI.APIError);
    expect(second.asked).toEqual([]);
    expect(app.pool.outcomes).toEqual([
      ['replica-1', 'failed'],
      ['replica-1', 'failed'],
    ]);
  });

  it('tells it too where a stream only ends, and adds nothing to what the engine told', async () => {
    first.behaviour = ({ model }, response) =>
      void (response.writeHead(200, { 'content-type': 'text/event-stream' }), response.end(chunkOf(model, 'Der ')));
    expect(await (await app.post(CHAT, { model: 'gemma', messages, stream: true })).text()).toMatch(
      /"error":.*ended before/,
    );
    first.behaviour = (_, response) =>
      void (
        response.writeHead(200, { 'content-type': 'text/event-stream' }),
        response.end('data: {"error":{"message":"mine"}}\n\n')
      );
    expect(await (await app.post(CHAT, { model: 'gemma', messages, stream: true })).text()).toBe(
      'data: {"error":{"message":"mine"}}\n\n',
    );
  });

  it('ends the work at the engine when the client leaves: in the queue, before the head, in mid-stream', async () => {
    const leave = new AbortController();
    first.behaviour = ({ model }, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunkOf(model, 'Der '));
    };
    const response = await app.post(CHAT, { model: 'gemma', messages, stream: true }, {}, leave.signal);
    await response.body?.getReader().read();
    leave.abort();
    await eventually('the engine is left', () => first.left === 1);
    first.behaviour = () => undefined;
    await expect(app.post(CHAT, { model: 'gemma', messages }, {}, AbortSignal.timeout(200))).rejects.toThrow();
    await eventually('the engine is left', () => first.left === 2);
    await eventually('both leases are given back', () => app.pool.outcomes.length === 2);
    expect(app.pool.outcomes).toEqual([
      ['replica-1', 'gone'],
      ['replica-1', 'gone'],
    ]);
    let hasLeft = false;
    app.pool.before = ({ signal }) =>
      once(signal, 'abort').then(() => {
        hasLeft = true;
        return Promise.reject(signal.reason as Error);
      });
    await expect(app.post(CHAT, { model: 'gemma', messages }, {}, AbortSignal.timeout(200))).rejects.toThrow();
    await eventually('the queue is left', () => hasLeft);
    await eventually('three are counted as left', async () => (await app.registry.metrics()).includes('code="499"} 3'));
  });

  it('streams no faster than the client reads', async () => {
    let sent = 0;
    const piece = chunkOf('gemma', 'x'.repeat(64 * 1024));
    first.behaviour = async (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let count = 0; count < 400; count += 1) {
        sent += 1;
        if (!response.write(piece)) await once(response, 'drain');
      }
      response.end('data: [DONE]\n\n');
    };
    const call = httpRequest(`${app.url}${CHAT}`, { method: 'POST', headers: { 'content-type': 'application/json' } });
    call.end(JSON.stringify({ model: 'gemma', messages, stream: true }));
    const [response] = (await once(call, 'response')) as [import('node:http').IncomingMessage];
    response.pause();
    let before = -1;
    await eventually('the engine is held back', () => {
      const stands = sent === before && sent > 0;
      before = sent;
      return stands;
    });
    expect(sent).toBeLessThan(390);
    let size = 0;
    for await (const part of response) size += (part as Buffer).length;
    expect([sent, size]).toEqual([400, 400 * piece.length + 'data: [DONE]\n\n'.length]);
  });

  it('names in every reply the version that made it, while an alias moves 100 times under 50 clients', async () => {
    const slow: Behaviour = async ({ model }, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let count = 0; count < 5; count += 1) {
        response.write(chunkOf(model, `${model} `));
        await new Promise((later) => setTimeout(later, 2));
      }
      response.end('data: [DONE]\n\n');
    };
    first.behaviour = slow;
    let moves = 0;
    const seen: string[] = [];
    const client = async (): Promise<void> => {
      while (moves < 100) {
        const { text, models } = await said('champion');
        expect(models.size).toBe(1);
        const [model = ''] = models;
        expect(text).toBe(`${model} `.repeat(5));
        seen.push(model);
      }
    };
    const clients = Promise.all(Array.from({ length: 50 }, client));
    for (; moves < 100; moves += 1) {
      app.catalog.become([two, one], [{ alias: 'champion', versionId: moves % 2 ? one.id : two.id, splits: [] }]);
      const before = seen.length;
      await eventually('an answer after the move', () => seen.length > before);
    }
    await clients;
    expect(new Set(seen)).toEqual(new Set([one.modelId, two.modelId]));
    expect(app.pool.outcomes.filter(([, outcome]) => outcome !== 'ok')).toEqual([]);
  });
});
