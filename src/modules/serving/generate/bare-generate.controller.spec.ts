import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { FakeLog } from '../../../../test/fixtures/live-feed.js';
import { ProblemFilter } from '../../../kernel/problem.filter.js';
import { markService } from '../../../kernel/service-port.js';
import { validationPipe } from '../../../kernel/validation.pipe.js';
import { BareGenerateController } from './bare-generate.controller.js';
import { GenerateService } from './generate.service.js';

/** Tells what it was asked for. */
const generation = { generate: (asked: object) => asked, route: (prompt: string) => ({ prompt }) };

describe('generation on the bare paths', () => {
  let app: INestApplication;

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      controllers: [BareGenerateController],
      providers: [{ provide: GenerateService, useValue: generation }],
    }).compile();
    app = module.createNestApplication({ logger: false });
    app.use((request: never, _response: unknown, next: () => void) => {
      markService(request, 'serving', 1);
      next();
    });
    app.useGlobalPipes(validationPipe());
    app.useGlobalFilters(new ProblemFilter(new FakeLog()));
    await app.listen(0, '127.0.0.1');
  });
  afterAll(() => app.close());

  const post = async (path: string, body?: object): Promise<{ status: number; body: Record<string, unknown> }> => {
    const sent = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const response = await fetch(`${await app.getUrl()}/${path}`, { method: 'POST', ...sent });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  const all = '&max_tokens=12&temperature=0&top_p=.5&adapter_id=amt&route=false&require_confidence=0.25';

  it('takes everything from the query, in its types', async () => {
    expect(await post(`generate?prompt=Was%20gilt%3F${all}`)).toEqual({
      status: 200,
      body: {
        prompt: 'Was gilt?',
        max_tokens: 12,
        temperature: 0,
        top_p: 0.5,
        adapter_id: 'amt',
        route: false,
        require_confidence: 0.25,
      },
    });
    expect((await post('generate?prompt=12')).body).toEqual({ prompt: '12' });
    expect((await post('route?prompt=Was')).body).toEqual({ prompt: 'Was' });
  });

  it('takes it from the body, which counts over the query', async () => {
    const body = { prompt: 'aus dem Text', max_tokens: 3, route: true, top_p: null };
    expect((await post(`generate?prompt=aus%20der%20Adresse${all}`, body)).body).toEqual({
      prompt: 'aus dem Text',
      max_tokens: 3,
      temperature: 0,
      top_p: 0.5,
      adapter_id: 'amt',
      route: true,
      require_confidence: 0.25,
    });
    expect((await post('route?prompt=Was', { prompt: 'Wer' })).body).toEqual({ prompt: 'Wer' });
  });

  it.each([
    ['max_tokens=viele', 'max_tokens: "viele" is not allowed; it must'],
    ['max_tokens=1.5', 'max_tokens: 1.5 is not allowed; it must be an integer number'],
    ['max_tokens=', 'max_tokens: "" is not allowed; it must'],
    ['max_tokens=1&max_tokens=2', 'max_tokens: ["1","2"] is not allowed; it must'],
    ['temperature=3', 'temperature: 3 is not allowed; it must not be greater than 2'],
    ['top_p=-1', 'top_p: -1 is not allowed; it must not be less than 0'],
    ['route=vielleicht', 'route: "vielleicht" is not allowed; it must be a boolean value'],
    ['require_confidence=sehr', 'require_confidence: "sehr" is not allowed; it must'],
    [`prompt=${'x'.repeat(2001)}`, 'prompt: '],
  ])('refuses a query with %s', async (query, message) => {
    const { status, body } = await post(`generate?${query}`, { prompt: 'x' });
    expect([status, body['detail']]).toEqual([422, expect.stringContaining(message)]);
  });

  it.each(['generate', 'route'])('refuses %s without a prompt anywhere', async (path) => {
    const missing = 'prompt: is missing; send it in the query or the body';
    for (const body of [undefined, {}, { prompt: null }])
      expect(await post(path, body)).toMatchObject({ status: 422, body: { detail: missing } });
    expect(await post(`${path}?prompt=`)).toMatchObject({ status: 422 });
    expect(await post(path, { prompt: 7 })).toMatchObject({ status: 422 });
  });

  it('takes no text for a number in a body', async () => {
    expect(await post('generate', { prompt: 'x', max_tokens: '12' })).toMatchObject({ status: 422 });
  });
});
