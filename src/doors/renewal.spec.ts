import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { get, type Agent } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { Pair } from '../../test/fixtures/tls-certificates.js';
import { door, TlsSite } from '../../test/fixtures/tls-site.js';
import { eventually } from '../../test/fixtures/waiting.js';

import.meta.jest.setTimeout(60_000);

const CLIENTS = 10;
const SWAPS = 5;

describe('a new certificate', () => {
  let site: TlsSite;
  let good: Pair;
  const agents: Agent[] = [];

  beforeEach(async () => {
    site = await TlsSite.open([door('mtls'), door('tls')]);
    good = await site.authority.issue('ingestion', { use: 'client' });
  });
  afterEach(async () => {
    for (const agent of agents.splice(0)) agent.destroy();
    await site.close();
  });

  const keepAlive = (): Agent => {
    const agent = site.agent(good);
    agents.push(agent);
    return agent;
  };

  it('is shown to new connections, while the open ones go on', async () => {
    const agent = keepAlive();
    const before = await site.get('/x', { agent });
    const held = site.get('/held', { agent: keepAlive() });
    await eventually('a request is under way', () => site.held.length === 1);
    const socket = await webSocket(site, good);
    const stream = await openStream(site, good);

    const renewed = await site.authority.issue('clara');
    site.identity.renew(renewed);

    expect(before.server).toBe(site.own.serial);
    expect((await site.get('/x', { agent })).server).toBe(site.own.serial);
    expect((await site.get('/x', good)).server).toBe(renewed.serial);
    expect((await site.get('/x', {}, 1)).server).toBe(renewed.serial);
    for (const answer of site.held.splice(0)) answer();
    expect((await held).status).toBe(200);
    socket.send('{"type": "ping"}');
    await new Promise((resolve) => socket.once('message', resolve));
    for (const open of site.streams) open.write('data: 2\n\n');
    await eventually('the stream goes on', () => stream.text().includes('data: 2'));
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.terminate();
  });

  it('disturbs none of ten clients that never pause', async () => {
    let done = false;
    const seen = new Set<string>();
    const client = async (index: number): Promise<number> => {
      const agent = keepAlive();
      let answered = 0;
      for (; !done; answered += 1) {
        const { status, server } = await site.get('/x', index % 2 === 0 ? { agent } : good);
        expect(status).toBe(200);
        seen.add(server);
      }
      return answered;
    };
    const clients = Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(index)));
    for (let swap = 0; swap < SWAPS; swap += 1) {
      site.identity.renew(await site.authority.issue('clara'));
      const { serial } = site.identity.current();
      await eventually('the new one is seen', () => seen.has(serial), 20_000);
    }
    done = true;
    expect(Math.min(...(await clients))).toBeGreaterThan(0);
    expect(site.failures).toEqual([]);
  });

  it('that does not fit its key is not taken, at any door', async () => {
    const other = await site.authority.issue('clara');
    site.identity.renew({ ...other, key: site.own.key });
    expect(site.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect((await site.get('/x', good)).server).toBe(site.own.serial);
    expect((await site.get('/x', {}, 1)).server).toBe(site.own.serial);
    expect(JSON.stringify(site.log.lines)).not.toContain('PRIVATE KEY');
  });

  it('that has ended is shown all the same, never plain HTTP', async () => {
    const ended = await site.authority.issue('clara', { notBefore: new Date(1e12), notAfter: new Date(1.1e12) });
    site.identity.renew(ended);
    await expect(site.get('/x', good)).rejects.toThrow('expired');
    await expect(fetch(`http://127.0.0.1:${site.port()}/x`)).rejects.toThrow();
  });

  it('is followed no longer once the doors are closed', async () => {
    expect(site.identity.listeners).toBe(2);
    await site.listeners.close();
    expect(site.identity.listeners).toBe(0);
  });
});

describe('a session', () => {
  let site: TlsSite;

  beforeEach(async () => {
    site = await TlsSite.open([door('mtls'), door('tls-optional'), door('tls')]);
  });
  afterEach(() => site.close());

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('is not resumed by %s where certificates count', async (version) => {
    const pair = await site.authority.issue('ingestion', { use: 'client' });
    const versions = { minVersion: version, maxVersion: version };
    const resumed = async (index: number): Promise<boolean> => {
      const options = { host: '127.0.0.1', port: site.port(index), ...site.trust(pair), ...versions };
      const first = await exchange(options);
      const again = await exchange({ ...options, ...(first.session ? { session: first.session } : {}) });
      return again.reused;
    };
    expect([await resumed(0), await resumed(1)]).toEqual([false, false]);
    // The public door shows that the question can be answered with yes.
    expect(await resumed(2)).toBe(true);
  });
});

/** One request by hand: what a client may keep of the session, and whether it was let back in by one. */
async function exchange(options: object): Promise<{ session: Buffer | undefined; reused: boolean }> {
  const socket = connect(options);
  let session: Buffer | undefined;
  socket.on('session', (kept) => (session = kept));
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  socket.write('GET /x HTTP/1.1\r\nhost: x\r\n\r\n');
  await new Promise((resolve) => socket.once('data', resolve));
  await sleep(50);
  const reused = socket.isSessionReused();
  session ??= socket.getSession();
  socket.destroy();
  return { session, reused };
}

async function webSocket(site: TlsSite, pair: Pair): Promise<WebSocket> {
  const socket = new WebSocket(`wss://127.0.0.1:${site.port()}/ws/training`, site.trust(pair));
  await new Promise((resolve, reject) => socket.once('message', resolve).once('error', reject));
  return socket;
}

function openStream(site: TlsSite, pair: Pair): Promise<{ text(): string; socket: TLSSocket }> {
  return new Promise((resolve, reject) => {
    const options = {
      agent: false as const,
      host: '127.0.0.1',
      port: site.port(),
      path: '/stream',
      ...site.trust(pair),
    };
    get(options, (response: IncomingMessage) => {
      let text = '';
      response.on('data', (part: Buffer) => (text += part.toString()));
      response.on('error', () => undefined);
      response.once('data', () => resolve({ text: () => text, socket: response.socket as TLSSocket }));
    }).on('error', reject);
  });
}
