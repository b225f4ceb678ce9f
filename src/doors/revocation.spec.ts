import { get } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { connect, type TLSSocket } from 'node:tls';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { SystemClock } from '../kernel/clock.js';
import type { Pair } from '../../test/fixtures/tls-certificates.js';
import { door, TlsSite } from '../../test/fixtures/tls-site.js';
import { eventually } from '../../test/fixtures/waiting.js';

import.meta.jest.setTimeout(60_000);

const PROMISED_MS = 2000;

class MovedClock extends SystemClock {
  ahead = 0;

  override now(): number {
    return super.now() + this.ahead;
  }
}

/** Every kind of connection that a client can have open, and what has become of each. */
class Client {
  readonly open = new Map<string, boolean>();
  readonly #ends: (() => void)[] = [];

  constructor(
    private readonly site: TlsSite,
    readonly pair: Pair,
    private readonly index = 0,
  ) {}

  async connect(): Promise<this> {
    await this.#keepAlive();
    await this.#stream();
    await this.#webSocket();
    for (const transport of ['polling', 'websocket'] as const) await this.#socketIo(transport);
    await this.#silent();
    return this;
  }

  get isOut(): boolean {
    return [...this.open.values()].every((open) => !open);
  }

  get isIn(): boolean {
    return [...this.open.values()].every(Boolean);
  }

  end(): void {
    for (const end of this.#ends) end();
  }

  #follow(
    name: string,
    socket: { once(event: 'close' | 'disconnect', listener: () => void): unknown },
    event: 'close' | 'disconnect' = 'close',
  ) {
    this.open.set(name, true);
    socket.once(event, () => this.open.set(name, false));
  }

  get #options() {
    return { host: '127.0.0.1', port: this.site.port(this.index), ...this.site.trust(this.pair) };
  }

  async #keepAlive(): Promise<void> {
    const agent = this.site.agent(this.pair);
    await this.site.get('/x', { agent }, this.index);
    const [socket] = Object.values(agent.freeSockets)[0] ?? [];
    this.#follow('keep-alive', socket as unknown as TLSSocket);
    this.#ends.push(() => agent.destroy());
  }

  async #stream(): Promise<void> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ ...this.#options, agent: false, path: '/stream' }, resolve).on('error', reject);
    });
    response.on('error', () => undefined).resume();
    this.#follow('SSE', response);
    this.#ends.push(() => response.destroy());
  }

  async #webSocket(): Promise<void> {
    const socket = new WebSocket(`wss://127.0.0.1:${this.#options.port}/ws/training`, this.#options);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    this.#follow('WebSocket', socket);
    this.#ends.push(() => socket.terminate());
  }

  async #socketIo(transport: 'polling' | 'websocket'): Promise<void> {
    const { ca, cert = '', key = '', port } = this.#options;
    const options = { forceNew: true, reconnection: false, transports: [transport], ca: ca.join('\n'), cert, key };
    const socket = io(`https://127.0.0.1:${port}`, options);
    await new Promise<void>((resolve, reject) => void socket.once('connect', resolve).once('connect_error', reject));
    this.#follow(`Socket.IO by ${transport}`, socket, 'disconnect');
    this.#ends.push(() => socket.disconnect());
  }

  /** A handshake, and nothing after it. */
  async #silent(): Promise<void> {
    const socket = connect(this.#options);
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    this.#follow('silent', socket);
    this.#ends.push(() => socket.destroy());
  }
}

describe('a client certificate', () => {
  const clock = new MovedClock();
  let site: TlsSite;
  const clients: Client[] = [];

  beforeEach(async () => {
    site = await TlsSite.open([door('mtls'), door('tls-optional')], clock);
  });
  afterEach(async () => {
    clock.ahead = 0;
    for (const client of clients.splice(0)) client.end();
    await site.close();
  });

  const client = async (index = 0, serial?: string): Promise<Client> => {
    const wish = { use: 'client', ...(serial ? { serial } : {}) } as const;
    const made = new Client(site, await site.authority.issue('ingestion', wish), index);
    clients.push(made);
    return made.connect();
  };
  const out = (one: Client) =>
    eventually(`all is closed: ${JSON.stringify([...one.open])}`, () => one.isOut, PROMISED_MS);

  it.each([0, 1])('that is revoked loses every connection at once, and others none (door %i)', async (index) => {
    const good = await client(index);
    const bad = await client(index);
    expect(bad.isIn).toBe(true);
    await site.identity.revoke(bad.pair.serial);
    await out(bad);
    expect([...good.open.values()]).toEqual(Array(good.open.size).fill(true));
    await expect(site.get('/x', good.pair)).resolves.toMatchObject({ status: 200 });
    await expect(site.get('/x', bad.pair)).rejects.toThrow();
  });

  it('is found by its serial, however that is written', async () => {
    const one = await client(0, '0a0b0c');
    const other = await client(0, '00f1e2d3');
    await site.identity.revoke('0A0B0C');
    await site.identity.revoke('00F1E2D3');
    await out(one);
    await out(other);
  });

  it('that ends loses its connections', async () => {
    const one = await client();
    clock.ahead = 59 * 86_400_000;
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(one.isIn).toBe(true);
    clock.ahead = 61 * 86_400_000;
    await out(one);
  });

  it('that is known to be revoked before the CRL is there gets no further than the handshake', async () => {
    const pair = await site.authority.issue('ingestion', { use: 'client' });
    site.identity.knowAlso(pair.serial);
    await expect(site.get('/x', pair)).rejects.toThrow();
    expect(site.failures).toContain('revoked');
    await expect(site.get('/x', pair, 1)).rejects.toThrow();
  });

  it('that was revoked without news of it is found soon', async () => {
    const one = await client();
    site.identity.knowAlso(one.pair.serial);
    await out(one);
  });
});
