import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import type { Problem, Reply } from '../fixtures/api-bodies.js';
import { App, type Answer } from '../fixtures/app.js';
import { Jobs } from '../fixtures/jobs.js';

import.meta.jest.setTimeout(180_000);

const REQUESTS = 60;

describe('the limits of a minute', () => {
  let app: App;
  let body: Record<string, unknown>;

  beforeAll(async () => {
    app = await App.start({
      env: {
        CLARA_RATE_LIMIT_JOBS_PER_MINUTE: '5',
        CLARA_RATE_LIMIT_REQUESTS_PER_MINUTE: String(REQUESTS),
        CLARA_TRUSTED_PROXIES: 'loopback',
      },
    });
    body = await new Jobs(app).request({ data: { steps: 1 } });
  });
  afterAll(() => app.dispose());

  /** Each test comes from an address of its own. */
  const from = (address: string, key?: string) => ({
    'x-forwarded-for': address,
    ...(key === undefined ? {} : { 'idempotency-key': key }),
  });
  const create = (headers: Record<string, string>, query = '') =>
    app.call<Reply & Problem>('POST', `/api/training/jobs${query}`, { body, headers });
  const told = ({ headers }: Answer<unknown>) =>
    ['limit', 'remaining', 'reset'].map((name) => headers.get(`ratelimit-${name}`));

  it('count accepted jobs, and nothing else', async () => {
    const client = from('198.51.100.1');
    for (let round = 0; round < 6; round += 1) {
      const wrong = { ...body, trainer_type: 'nonsense' };
      expect((await app.call('POST', '/api/training/jobs', { body: wrong, headers: client })).status).toBe(422);
      expect((await create(client, '?dry_run=true')).status).toBe(200);
    }
    const keyed = from('198.51.100.1', 'once');
    const first = await create(keyed);
    expect(told(first)).toEqual(['5', '4', expect.stringMatching(/^(60|5\d)$/)]);
    for (let round = 0; round < 6; round += 1) expect((await create(keyed)).body.job_id).toBe(first.body.job_id);

    const together = await Promise.all(Array.from({ length: 20 }, () => create(client)));
    const statuses = together.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(4);
    const refused = together.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(16);
    expect(refused[0]?.body).toMatchObject({
      code: 'rate_limited',
      detail: expect.stringContaining('5 training jobs'),
    });
    expect(told(refused[0] as Answer<unknown>)).toEqual(['5', '0', refused[0]?.headers.get('retry-after')]);

    expect((await create(keyed)).body.job_id).toBe(first.body.job_id);
    expect((await create(from('198.51.100.2', 'another'))).status).toBe(429);
    const list = await app.call<{ total_count: number }>('GET', '/api/training/jobs', { headers: client });
    expect(list.body.total_count).toBe(5);
  });

  it('count the requests of an address, whatever it asks for', async () => {
    const client = from('198.51.100.3');
    const paths = ['/api/training/jobs', '/', '/api/training/nothing', '/metrics'];
    for (let round = 0; round < REQUESTS; round += 1) {
      const answer = await app.call('GET', paths[round % paths.length] ?? '/', { headers: client });
      expect(answer.status).not.toBe(429);
      expect(told(answer).slice(0, 2)).toEqual([String(REQUESTS), String(REQUESTS - round - 1)]);
    }
    const refused = await app.call<Problem>('GET', '/api/training/jobs', { headers: client });
    expect([refused.status, refused.body.code]).toEqual([429, 'rate_limited']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    // What watches the application must see it live.
    expect((await app.call('GET', '/healthz', { headers: client })).status).toBe(200);
    expect((await app.call('GET', '/api/training/jobs', { headers: from('198.51.100.4') })).status).toBe(200);
  });

  it('count the networks of IPv6', async () => {
    const addresses = Array.from({ length: REQUESTS }, (_, index) => `2001:db8:0:7::${index.toString(16)}`);
    for (const address of addresses) await app.call('GET', '/', { headers: from(address) });
    expect((await app.call('GET', '/', { headers: from('2001:db8:0:7:ffff::1') })).status).toBe(429);
    expect((await app.call('GET', '/', { headers: from('2001:db8:0:8::1') })).status).toBe(200);
  });

  it('count sockets that are opened', async () => {
    const headers = from('198.51.100.5');
    for (let round = 0; round < REQUESTS; round += 1) await app.call('GET', '/healthz', { headers });
    const socket = new WebSocket(`ws://127.0.0.1:${app.ports.TRAINING}/ws/training`, { headers });
    const refusal = await new Promise<{ status?: number; wait?: string }>((resolve) => {
      socket.on('unexpected-response', (_request, response) =>
        resolve({ status: response.statusCode ?? 0, wait: String(response.headers['retry-after']) }),
      );
      socket.on('open', () => resolve({}));
      socket.on('error', () => undefined);
    });
    expect(refusal).toEqual({ status: 429, wait: expect.stringMatching(/^\d+$/) });
    const options = { transports: ['polling'], extraHeaders: headers, reconnection: false, forceNew: true };
    const client = io(`http://127.0.0.1:${app.ports.TRAINING}`, options);
    const outcome = await new Promise((resolve) => {
      client.on('connect', () => resolve('connected'));
      client.on('connect_error', () => resolve('refused'));
    });
    client.close();
    expect(outcome).toBe('refused');
  });

  it('believe no header of a stranger', async () => {
    app.env['CLARA_TRUSTED_PROXIES'] = undefined;
    await app.kill('SIGTERM');
    await app.restart();
    const seen = new Set<number>();
    for (let round = 0; round < REQUESTS + 1; round += 1)
      seen.add((await app.call('GET', '/', { headers: from(`203.0.113.${round}`) })).status);
    expect(seen).toEqual(new Set([200, 429]));
  });
});
