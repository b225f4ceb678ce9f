import { get } from 'node:http';
import { io, type Socket } from 'socket.io-client';
import { WebSocket } from 'ws';
import { App } from '../fixtures/app.js';
import { Issuer } from '../fixtures/issuer.js';
import { Jobs } from '../fixtures/jobs.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(180_000);

const ANY_ID = 'b5f7a3f0-1111-4222-8333-444455556666';
const soon = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

interface Outcome {
  status: number;
  protocol: string;
  frames: { type: string; message?: string }[];
  closed: number | undefined;
  socket: WebSocket;
}

describe('sockets in development mode', () => {
  let issuer: Issuer;
  let app: App;
  const opened: { close(): unknown }[] = [];

  beforeAll(async () => {
    issuer = await Issuer.start();
    app = await App.start({ env: { CLARA_SECURITY_MODE: 'development', ...issuer.env } });
  });
  afterAll(async () => {
    for (const socket of opened) socket.close();
    await app.dispose();
    await issuer.stop();
  });

  const headersWith = (token: string) => ({ authorization: `Bearer ${token}` });

  /** A plain WebSocket, once its handshake is answered; status 101 where it is open. */
  async function plain(
    query: string,
    headers: Record<string, string> = {},
    protocols: string[] = [],
  ): Promise<Outcome> {
    const socket = new WebSocket(`ws://127.0.0.1:${app.ports.TRAINING}/ws/training${query}`, protocols, { headers });
    const outcome: Outcome = { status: 0, protocol: '', frames: [], closed: undefined, socket };
    opened.push({ close: () => socket.terminate() });
    socket.on('error', () => undefined);
    socket.on('unexpected-response', (request, response) => {
      outcome.status = response.statusCode ?? 0;
      request.destroy();
    });
    socket.on('message', (data: Buffer) => outcome.frames.push(JSON.parse(data.toString()) as Outcome['frames'][0]));
    socket.on('open', () => Object.assign(outcome, { status: 101, protocol: socket.protocol }));
    socket.on('close', (code) => (outcome.closed = code));
    await eventually('the handshake is answered', () => Promise.resolve(outcome.status > 0), 20_000);
    return outcome;
  }

  /** A Socket.IO client, and what became of it. */
  async function socketIo(options: Parameters<typeof io>[1]): Promise<{ socket: Socket; problem: string | undefined }> {
    const url = `http://127.0.0.1:${app.ports.TRAINING}`;
    const socket = io(url, { forceNew: true, reconnection: false, ...options });
    opened.push(socket);
    const problem = await new Promise<string | undefined>((resolve) => {
      socket.once('connect', () => resolve(undefined));
      socket.once('connect_error', (error) => resolve(error.message));
    });
    return { socket, problem };
  }

  it('open with a token in the header, the subprotocol, or the address of the handshake, and else not', async () => {
    const token = await issuer.token();
    expect((await plain('', headersWith(token))).status).toBe(101);
    expect(await plain('', {}, ['bearer', token])).toMatchObject({ status: 101, protocol: 'bearer' });
    expect((await plain(`?access_token=${token}`)).status).toBe(101);
    expect((await plain(`?token=${token}&job=${ANY_ID}`)).status).toBe(101);
    expect((await plain('')).status).toBe(401);
    expect((await plain(`?token=${token}x`)).status).toBe(401);
    expect((await plain(`?token=${token}`, headersWith(token))).status).toBe(401);
    expect((await plain('', headersWith(await issuer.token({ roles: [] })))).status).toBe(403);
    expect(app.output).not.toContain(token);
  });

  it('open to pages of this server, and to no other page that is not configured', async () => {
    const headers = headersWith(await issuer.token());
    const own = `http://127.0.0.1:${app.ports.TRAINING}`;
    expect((await plain('', { ...headers, origin: own })).status).toBe(101);
    for (const origin of ['http://localhost:3000', 'http://evil.example', 'null', `${own}.evil.example`])
      expect([origin, (await plain('', { ...headers, origin })).status]).toEqual([origin, 403]);
    const asked = await app.call('GET', '/health', { headers: { origin: 'http://localhost:3000' } });
    expect(asked.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('open once with a ticket', async () => {
    const headers = headersWith(await issuer.token());
    const { status, body } = await app.call<{ ticket: string; expires_in: number }>('POST', '/api/tickets', {
      headers,
    });
    expect([status, body.expires_in]).toEqual([201, 30]);
    const both = await Promise.all([plain(`?ticket=${body.ticket}`), plain(`?ticket=${body.ticket}`)]);
    expect(both.map((each) => each.status).toSorted((a, b) => a - b)).toEqual([101, 401]);
    expect((await plain(`?ticket=${body.ticket}`)).status).toBe(401);
    expect((await app.call('POST', '/api/tickets')).status).toBe(401);
  });

  it('of Socket.IO open with the auth payload, the header or the address, by both transports', async () => {
    const token = await issuer.token();
    for (const transports of [['websocket'], ['polling']])
      for (const [options, problem] of [
        [{ auth: { token } }, undefined],
        [{ extraHeaders: headersWith(token) }, undefined],
        [{ query: { token } }, undefined],
        [{}, expect.stringMatching(/Missing|Invalid/)],
        [{ auth: { token: `${token}x` } }, expect.stringMatching(/signature/)],
        [{ auth: { token: 5 } }, expect.stringMatching(/Missing|Invalid/)],
        [{ auth: { token: await issuer.token({ roles: [] }) } }, expect.stringMatching(/Insufficient permissions/)],
      ] as const)
        expect([transports, options, (await socketIo({ transports, ...options })).problem]).toEqual([
          transports,
          options,
          problem,
        ]);
  });

  it('are closed when the token ends, and told why', async () => {
    // The leeway forgives clocks at the door; a connection ends with its token.
    const token = await issuer.token({ exp: soon(3) });
    const open = await plain('', headersWith(token));
    const { socket } = await socketIo({ transports: ['websocket'], auth: { token } });
    const problems: unknown[] = [];
    socket.on('error', (problem) => problems.push(problem));
    await eventually('both are closed', () => Promise.resolve(open.closed !== undefined && !socket.connected), 20_000);
    expect(open.closed).toBe(4401);
    expect(open.frames.at(-1)).toMatchObject({ type: 'error', message: 'Token expired' });
    expect(problems).toEqual([{ type: 'error', message: 'Token expired' }]);
  });

  it('and streams that a personal token opened are closed when it is revoked', async () => {
    const owner = headersWith(await issuer.token({ roles: ['trainer'] }));
    const wish = { name: 'live', scopes: ['training:read'] };
    const { body } = await app.call<{ id: string; token: string }>('POST', '/api/tokens', {
      headers: owner,
      body: wish,
    });
    const open = await plain('', headersWith(body.token));
    const { socket } = await socketIo({ transports: ['polling'], auth: { token: body.token } });
    expect([open.status, socket.connected]).toEqual([101, true]);
    await app.call('DELETE', `/api/tokens/${body.id}`, { headers: owner });
    await eventually('both are closed', () => Promise.resolve(open.closed !== undefined && !socket.connected), 20_000);
    expect(open.frames.at(-1)).toMatchObject({ type: 'error', message: 'The token was revoked' });
  });

  it('answer a stream of events only to those who may read', async () => {
    const path = `/api/training/jobs/${ANY_ID}/events`;
    const ask = (headers: Record<string, string>) =>
      new Promise<number>((resolve, reject) => {
        const options = {
          host: '127.0.0.1',
          port: app.ports.TRAINING,
          path,
          headers: { accept: 'text/event-stream', ...headers },
        };
        get(options, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        }).on('error', reject);
      });
    expect(await ask({})).toBe(401);
    expect(await ask(headersWith(await issuer.token({ roles: [] })))).toBe(403);
    expect(await ask(headersWith(await issuer.token()))).toBe(404);
  });

  it('end an event stream with the token that opened it, while the job goes on', async () => {
    app.token = await issuer.token({ roles: ['trainer'] });
    const jobs = new Jobs(app);
    const id = await jobs.post({ data: { steps: 600, seconds: 600 } });
    await jobs.until(id, 'running');
    const headers = { accept: 'text/event-stream', ...headersWith(await issuer.token({ exp: soon(3) })) };
    const options = { host: '127.0.0.1', port: app.ports.TRAINING, path: `/api/training/jobs/${id}/events`, headers };
    const begun = Date.now();
    const seen = await new Promise<string>((resolve, reject) => {
      get(options, (response) => {
        let text = '';
        response.on('data', (part: Buffer) => (text += part.toString()));
        response.on('end', () => resolve(text));
      }).on('error', reject);
    });
    expect(seen).toContain('event: running');
    expect(Date.now() - begun).toBeGreaterThan(1000);
    expect((await jobs.get(id)).status).toBe('running');
    app.token = undefined;
  });
});
