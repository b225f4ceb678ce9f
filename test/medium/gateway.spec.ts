import { LeaseQueue } from '../../src/modules/serving/lease-queue.js';
import OpenAI from 'openai';
import { EngineUnavailable } from '../../src/modules/serving/engine.port.js';
import { NotServable, Overloaded } from '../../src/modules/serving/lease.js';
import type { GatewayApp } from '../fixtures/gateway-app.js';
import { CHAT, GatewaySite, messages, one, SAID, two } from '../fixtures/gateway-site.js';
import { versionOf } from '../fixtures/registry.js';
import { StandInEngine } from '../fixtures/stand-in-engine.js';

import.meta.jest.setTimeout(120_000);

describe('the gateway over stand-in engines', () => {
  let site: GatewaySite;
  let first: StandInEngine;
  let second: StandInEngine;
  let app: GatewayApp;
  let openai: OpenAI;

  beforeEach(async () => {
    site = await GatewaySite.open();
    ({ first, second, app, openai } = site);
  });
  afterEach(() => site.close());

  const said = (model: string) => site.said(model);

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
    app.pool.before = ({ signal, waitMs }) =>
      new LeaseQueue(1).next(() => undefined, { signal, ...(waitMs !== undefined && { waitMs }) });
    const response = await app.post(CHAT, { model: 'gemma', messages });
    expect([response.status, response.headers.get('retry-after')]).toEqual([504, '5']);
    expect(((await response.json()) as { error: { message: string } }).error.message).toMatch(/within 2 s/);
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

  it('generates as the original does: named, routed, in a batch, as a stream', async () => {
    const procurement = versionOf(5, { name: 'vergabe-lora-r16-v1', domains: ['vergabe'] });
    app.catalog.become([procurement, one], []);
    const generate = async (body: object) => (await app.post('/api/serving/generate', body)).json();
    const answer = { output: SAID, adapter_id: procurement.name, tokens_generated: 5 };
    expect(await generate({ prompt: 'Ein Vergabeverfahren' })).toEqual(answer);
    expect(first.asked.at(-1)?.body).toMatchObject({
      model: procurement.modelId,
      max_tokens: 256,
      temperature: 0.7,
      top_p: 0.95,
    });
    expect(await generate({ prompt: 'Vergabe', adapter_id: one.name })).toEqual({ ...answer, adapter_id: one.name });
    expect(await generate({ prompt: 'Vergabe', route: false })).toEqual({ ...answer, adapter_id: null });
    expect(await generate({ prompt: 'Vergabe', require_confidence: 1 })).toEqual({ ...answer, adapter_id: null });
    expect((await app.post('/api/serving/generate', { prompt: 'x', adapter_id: 'nobody' })).status).toBe(404);
    expect((await app.post('/generate', { prompt: 'x' })).status).toBe(404);
    const batch = await (await app.post('/api/serving/generate/batch', { prompts: ['Vergabe', 'x'] })).json();
    expect(batch).toEqual({
      results: [
        { ...answer, error: null },
        { ...answer, adapter_id: null, error: null },
      ],
    });
    expect(await (await app.post('/api/serving/route', { prompt: 'Vergabe' })).json()).toMatchObject({
      adapter_id: procurement.name,
      fallback: false,
    });
    first.behaviour = ({ model }, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const text of ['a', 'b']) response.write(`data: ${JSON.stringify({ model, choices: [{ text }] })}\n\n`);
      response.end('data: [DONE]\n\n');
    };
    const stream = await (await app.post('/api/serving/generate/stream', { prompt: 'x' })).text();
    expect(
      stream
        .split('\n\n')
        .filter(Boolean)
        .map((event) => JSON.parse(event.slice(6)) as object),
    ).toEqual([
      { token: 'a', adapter_id: null },
      { token: 'b', adapter_id: null },
      { done: true, adapter_id: null, tokens_generated: 2 },
    ]);
  });
});
