import { createServer } from 'node:net';
import { WebSocket } from 'ws';
import { FakeLog } from '../../test/fixtures/live-feed.js';
import { TlsSite, door } from '../../test/fixtures/tls-site.js';
import { SystemClock } from '../kernel/clock.js';
import { Listeners } from './listeners.js';

import.meta.jest.setTimeout(60_000);

describe('a door that leads to little', () => {
  let site: TlsSite;

  beforeAll(async () => {
    site = await TlsSite.open([
      door('http', 'probes', 'main'),
      door('http', 'metrics', 'metrics'),
      door('tls-optional', 'metrics', 'metrics'),
      door('tls-optional', 'pki', 'pki'),
    ]);
  });
  afterAll(() => site.close());

  const get = (index: number, path: string) => fetch(`http://127.0.0.1:${site.port(index)}${path}`);

  it('answers elsewhere that nothing is here', async () => {
    expect((await get(0, '/readyz')).status).toBe(200);
    const answer = await get(0, '/api/training/jobs');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
    expect(await answer.json()).toMatchObject({ status: 404, detail: expect.stringContaining('probes only') });
    expect((await get(1, '/readyz')).status).toBe(404);
    expect((await site.get('/docs', {}, 2)).status).toBe(404);
  });

  it('shows the metrics at / by the route of the metrics, with its rule of access', async () => {
    expect(await (await get(1, '/')).json()).toMatchObject({ url: '/metrics', service: 'metrics' });
    expect((await site.get('/?x=1', {}, 2)).body).toMatchObject({ url: '/metrics?x=1', certificate: null });
  });

  it.each([0, 1, 2, 3])('opens no sockets (%i)', async (index) => {
    const protocol = index < 2 ? 'ws' : 'wss';
    for (const path of ['/ws/training', '/socket.io/?EIO=4&transport=websocket']) {
      const socket = new WebSocket(`${protocol}://127.0.0.1:${site.port(index)}${path}`, site.trust());
      const error = await new Promise<Error>((resolve) => socket.once('error', resolve));
      expect(error.message).toContain('404');
    }
  });
});

it('a port that is taken is named with its setting, and no other stays open', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as { port: number };
  const free = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => free.once('listening', resolve));
  const spare = (free.address() as { port: number }).port;
  await new Promise((resolve) => free.close(resolve));
  const doors = [
    { ...door('http', 'probes'), port: spare },
    { ...door('http', 'probes'), port, setting: 'CLARA_PROBE_PORT' },
  ];
  const opening = Listeners.open(doors, {
    identity: undefined,
    handler: () => undefined,
    attach: () => undefined,
    watch: { log: new FakeLog(), clock: new SystemClock(), handshakeFailed: () => undefined },
  });
  await expect(opening).rejects.toThrow(`Port ${port} of 127.0.0.1 is taken (CLARA_PROBE_PORT)`);
  await expect(fetch(`http://127.0.0.1:${spare}/healthz`)).rejects.toThrow();
  other.close();
});

it('a door that speaks TLS does not open without a certificate', async () => {
  const opening = Listeners.open([door('mtls')], {
    identity: undefined,
    handler: () => undefined,
    attach: () => undefined,
    watch: { log: new FakeLog(), clock: new SystemClock(), handshakeFailed: () => undefined },
  });
  await expect(opening).rejects.toThrow('this port speaks TLS, and there is no certificate');
});
