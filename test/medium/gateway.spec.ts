import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import OpenAI from 'openai';
import { EngineUnavailable } from '../../src/modules/serving/engine.port.js';
import { NotServable, Overloaded } from '../../src/modules/serving/lease.js';
import { FakePool, GatewayApp } from '../fixtures/gateway-app.js';
import { versionOf } from '../fixtures/registry.js';
import { chunkOf, StandInEngine, type Behaviour } from '../fixtures/stand-in-engine.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(120_000);

const CHAT = '/v1/chat/completions';
const messages = [{ role: 'user' as const, content: 'Ist der Antrag zulässig?' }];
const SAID = 'Der Antrag ist zulässig.';
const one = versionOf(1);
const two = versionOf(2);

describe('the gateway over stand-in engines', () => {
  let first: StandInEngine;
  let second: StandInEngine;
  let app: GatewayApp;
  let openai: OpenAI;

  beforeEach(async () => {
    first = await StandInEngine.start();
    second = await StandInEngine.start();
    app = await GatewayApp.open(new FakePool([first.url, second.url]), { CLARA_GATEWAY_WAIT_SECONDS: '2' });
    app.catalog.become([two, one], [{ alias: 'champion', versionId: one.id, splits: [] }]);
    openai = new OpenAI({ baseURL: `${app.url}/v1`, apiKey: 'any', maxRetries: 0 });
  });
  afterEach(async () => {
    await app.close();
    await first.stop();
    await second.stop();
  });

  const said = async (model: string): Promise<{ text: string; models: Set<string> }> => {
    const stream = await openai.chat.completions.create({ model, messages, stream: true });
    const models = new Set<string>();
    let text = '';
    for await (const chunk of stream) {
      models.add(chunk.model);
      text += chunk.choices[0]?.delta.content ?? '';
    }
    return { text, models };
  };

  it('passes bodies on byte by byte, but for the model', async () => {
    const body =
      '{ "messages":[{"role":"user","content":"\\u00e4 \\"model\\":\\"x\\" 1.0e2"}],\n"model" : "champion","zeta":1.50}';
    const response = await app.post(CHAT, body, {
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    });
    expect(response.status).toBe(200);
    const [asked] = first.asked;
    expect(asked?.raw.toString()).toBe(body.replace('"champion"', `"${one.modelId}"`));
    expect(asked?.headers).toMatchObject({
      authorization: 'Bearer key-of-the-engine',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'x-request-id': response.headers.get('x-request-id'),
    });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'x-clara-requested-model': 'champion',
      'x-clara-replica': 'replica-1',
      'x-clara-overhead-ms': expect.stringMatching(/^\d+\.\d{3}$/),
    });
    expect(app.pool.outcomes).toEqual([['replica-1', 'ok']]);
  });

  it('answers by the base, versions and aliases, whole and streaming', async () => {
    for (const [model, name] of [
      ['gemma', 'gemma'],
      ['google/gemma', 'gemma'],
      [two.name, two.modelId],
      ['champion', one.modelId],
    ] as const) {
      const whole = await openai.chat.completions.create({ model, messages });
      expect([whole.model, whole.choices[0]?.message.content]).toEqual([name, SAID]);
      expect(await said(model)).toEqual({ text: SAID, models: new Set([name]) });
    }
    const text = await openai.completions.create({ model: 'gemma', prompt: 'x' });
    expect(text.choices[0]?.text).toBe(SAID);
    const metrics = await app.registry.metrics();
    expect(metrics).toContain('clara_gateway_requests_total{model="gemma",adapter="amt-lora-r16-v1",code="200"} 2');
    expect(metrics).toContain('clara_gateway_tokens_total{model="gemma",adapter="amt-lora-r16-v1",kind="output"} 10');
    expect(metrics).toContain('clara_gateway_running_requests 0');
  });

  it('puts the public name into replies of engines that call a version otherwise', async () => {
    app.pool.nameOf = () => 'clara_1';
    expect((await openai.chat.completions.create({ model: 'champion', messages })).model).toBe(one.modelId);
    expect(await said('champion')).toEqual({ text: SAID, models: new Set([one.modelId]) });
    expect(new Set(first.asked.map(({ body }) => body.model))).toEqual(new Set(['clara_1']));
  });

  it('lists models, and one', async () => {
    const ids = (await openai.models.list()).data.map(({ id }) => id);
    expect(ids).toEqual(['gemma', two.modelId, one.modelId, 'champion', 'auto']);
    expect(await openai.models.retrieve(one.modelId)).toMatchObject({
      id: one.modelId,
      root: 'gemma',
      parent: 'gemma',
    });
    await expect(openai.models.retrieve('nobody')).rejects.toThrow(OpenAI.NotFoundError);
  });

  it.each([
    ['no model', '{"messages":[]}', 400, 'model', null],
    ['a model that is no text', '{"model":7}', 400, 'model', null],
    ['a model that is not there', '{"model":"nobody"}', 404, 'model', 'model_not_found'],
    ['a key that stands twice', '{"model":"gemma","model":"auto"}', 400, 'model', null],
    ['no JSON', '{"model":"gemma"', 400, null, null],
    ['an empty body', '', 400, null, null],
    ['a list', '[]', 400, null, null],
  ])('refuses %s in the shape of OpenAI', async (_, body, status, param, code) => {
    const response = await app.post(CHAT, body);
    const { error } = (await response.json()) as { error: Record<string, unknown> };
    expect([response.status, error['type'], error['param'], error['code']]).toEqual([
      status,
      'invalid_request_error',
      param,
      code,
    ]);
    expect(error['message']).toEqual(expect.any(String));
    expect(response.headers.get('x-request-id')).toBeTruthy();
    expect(first.asked).toEqual([]);
  });

  it('maps errors to the classes of the official package', async () => {
    const create = (model = 'gemma') => openai.chat.completions.create({ model, messages });
    await expect(create('nobody')).rejects.toThrow(OpenAI.NotFoundError);
    first.behaviour = (_, response) =>
      void response
        .writeHead(422, { 'content-type': 'application/json' })
        .end('{"detail":[{"loc":["body","n"],"msg":"too many"}]}');
    await expect(create()).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('n: too many'),
      type: 'invalid_request_error',
    });
    app.pool.before = () => Promise.reject(new Overloaded('256 requests wait'));
    await expect(create()).rejects.toThrow(OpenAI.RateLimitError);
    app.pool.before = () => Promise.reject(new EngineUnavailable('the start failed: no memory'));
    await expect(create()).rejects.toMatchObject({ status: 503, message: expect.stringContaining('no memory') });
    app.pool.before = () => Promise.reject(new NotServable('its base is another'));
    await expect(create()).rejects.toMatchObject({ status: 404, code: 'model_not_servable' });
  });

  it('waits for an engine until the deadline, and says when to come again', async () => {
    app.pool.before = ({ signal }) => once(signal, 'abort').then(() => Promise.reject(signal.reason as Error));
    const response = await app.post(CHAT, { model: 'gemma', messages });
    expect([response.status, response.headers.get('retry-after')]).toEqual([504, '5']);
    expect(((await response.json()) as { error: { message: string } }).error.message).toMatch(/within 2 s/);
  });

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

  it('takes bodies up to 32 MB, whatever stands first, and no longer ones', async () => {
    const content = 'ä'.repeat(10_000_000);
    for (const body of [
      { model: 'gemma', messages: [{ role: 'user', content }] },
      { messages: [{ role: 'user', content }], model: 'champion' },
    ]) {
      const response = await app.post(CHAT, body);
      expect([response.status, (await response.json()) as object]).toMatchObject([
        200,
        { model: body.model === 'gemma' ? 'gemma' : one.modelId },
      ]);
      expect(first.asked.at(-1)?.body['messages']).toEqual(body.messages);
    }
    const response = await app.post(CHAT, { model: 'gemma', messages: [{ role: 'user', content: content + content }] });
    expect([response.status, await response.json()]).toMatchObject([
      413,
      { error: { type: 'invalid_request_error', message: expect.stringMatching(/longer than 32 MB/) } },
    ]);
  });

  it('refuses what it finds late in a long body, and asks nobody else', async () => {
    const body = `{"model":"gemma","x":"${'x'.repeat(3_000_000)}","x":1}`;
    const response = await app.post(CHAT, body);
    expect([response.status, await response.json()]).toMatchObject([400, { error: { param: 'x' } }]);
    expect([first.asked, second.asked]).toEqual([[], []]);
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

  it('keeps who has a key at one version of a split alias, by header or user', async () => {
    app.catalog.become(
      [two, one],
      [{ alias: 'canary', versionId: one.id, splits: [{ versionId: two.id, weight: 0.5 }] }],
    );
    const modelOf = async (user: string, headers: Record<string, string> = {}) =>
      ((await (await app.post(CHAT, { model: 'canary', messages, user }, headers)).json()) as { model: string }).model;
    const users = Array.from({ length: 12 }, (_, index) => `user-${index}`);
    const chosen = await Promise.all(users.map((user) => modelOf(user)));
    expect(new Set(chosen).size).toBe(2);
    expect(await Promise.all(users.map((user) => modelOf(user)))).toEqual(chosen);
    expect(await Promise.all(users.map((user) => modelOf('x', { 'x-clara-sticky-key': user })))).toEqual(chosen);
  });

  it('routes auto by the words of the prompt, and says why', async () => {
    const procurement = versionOf(5, { name: 'vergabe-lora-r16-v1', domains: ['vergabe'] });
    app.catalog.become([procurement, one], []);
    const ask = (content: string) => app.post(CHAT, { model: 'auto', messages: [{ role: 'user', content }] });
    const routed = await ask('Wann endet ein Vergabeverfahren?');
    expect(await routed.json()).toMatchObject({ model: procurement.modelId });
    expect(JSON.parse(routed.headers.get('x-clara-route') ?? '')).toEqual({
      adapter_id: procurement.name,
      confidence: 0.99,
      fallback: false,
      rationale: 'vergabe-lora-r16-v1 1 (vergabe x1)',
    });
    const other = await ask('Schönes Wetter heute');
    expect(await other.json()).toMatchObject({ model: 'gemma' });
    expect(JSON.parse(other.headers.get('x-clara-route') ?? '')).toMatchObject({ adapter_id: null, fallback: true });
  });

  it('embeds as OpenAI does, in both encodings', async () => {
    await expect(openai.embeddings.create({ model: 'e5-small', input: 'a' })).rejects.toMatchObject({ status: 503 });
    app.embedder.isThere = true;
    for (const encoding_format of ['float', 'base64', undefined] as const) {
      const { data, model, usage } = await openai.embeddings.create({
        model: 'e5-small',
        input: ['Ein Amt', 'x'],
        ...(encoding_format ? { encoding_format } : {}),
      });
      expect([model, usage]).toEqual(['e5-small', { prompt_tokens: 3, total_tokens: 3 }]);
      if (encoding_format !== 'base64')
        expect(data[1]?.embedding.map((value) => Math.round(value * 100))).toEqual([1, 50]);
    }
    await expect(openai.embeddings.create({ model: 'other', input: 'a' })).rejects.toThrow(OpenAI.NotFoundError);
    await expect(openai.embeddings.create({ model: 'e5-small', input: 'a', dimensions: 8 })).rejects.toMatchObject({
      status: 400,
      param: 'dimensions',
    });
  });
});
