import { principalOf } from '../../../test/fixtures/callers.js';
import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { until } from '../../../test/fixtures/live-feed.js';
import { LiveStack } from '../../../test/fixtures/live-stack.js';
import { SocketRefused } from './socket-gate.port.js';

jest.setTimeout(30_000);

interface HttpAnswer {
  status: number | undefined;
  headers: Record<string, unknown>;
  body: string;
}

/** Asks for a WebSocket and answers what came instead of one. */
function upgrade(port: number, path: string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const asked = request({
      port,
      path,
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
      },
    });
    asked.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode, headers: response.headers, body });
      });
    });
    asked.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode, headers: response.headers, body: '' });
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** Writes one after the other on one connection, each after something came back; answers all that came. */
async function converse(port: number, parts: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
  for (const part of parts) {
    const before = answer.length;
    socket.write(part);
    await until(() => answer.length > before, 'an answer comes');
  }
  socket.destroy();
  return answer;
}

/** A text frame of a client (RFC 6455, section 5.2), masked with zeros, which change nothing. */
const clientFrame = (text: string): Buffer =>
  Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);

describe('LiveServer', () => {
  let stack: LiveStack;

  beforeEach(() => {
    stack = new LiveStack();
  });

  afterEach(() => stack.stop());

  describe('routing', () => {
    it.each(['/ws/training', '/api/training/ws'])('serves the plain WebSocket at %s on every port', async (path) => {
      await stack.start(3);
      for (const index of [0, 1, 2]) {
        const client = await stack.plain(path, {}, index).connected();
        expect(client.frames).toEqual([
          { type: 'connection', status: 'connected', last_event: 0, timestamp: expect.any(String) as string },
        ]);
      }
    });

    it.each(['/', '/ws', '/ws/training/', '/ws/trainings', '/socket.io', '/a/../socket.io/', '//ws/training', '*'])(
      'answers 404 at %s and closes',
      async (path) => {
        await stack.start();
        const answer = await upgrade(stack.port(), path);
        expect(answer.status).toBe(404);
        expect(answer.headers['content-type']).toBe('application/problem+json');
        expect(JSON.parse(answer.body)).toMatchObject({ status: 404, title: 'Not Found' });
      },
    );

    it('leaves ordinary requests to the application', async () => {
      await stack.start();
      const response = await fetch(`http://127.0.0.1:${stack.port()}/ws/training`, { method: 'POST', body: 'abc' });
      expect(await response.json()).toEqual({ method: 'POST', url: '/ws/training', length: 3 });
    });

    it('serves a request that offers HTTP/2 as if it did not, with its body', async () => {
      await stack.start();
      const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n';
      const answer = await converse(stack.port(), [
        `POST /api?x=%C3%A4 HTTP/1.1\r\nHost: h\r\n${offer}Content-Length: 5\r\n\r\nhello`,
        `GET /again HTTP/1.1\r\nHost: h\r\n${offer}\r\n`,
        `GET /plain HTTP/1.1\r\nHost: h\r\n\r\n`,
      ]);
      expect(answer).toContain('{"method":"POST","url":"/api?x=%C3%A4","length":5}');
      expect(answer).toContain('{"method":"GET","url":"/again","length":0}');
      expect(answer).toContain('{"method":"GET","url":"/plain","length":0}');
    });

    it('refuses what is no handshake', async () => {
      await stack.start();
      expect((await upgrade(stack.port(), '/ws/training', { 'Sec-WebSocket-Key': 'short' })).status).toBe(400);
      expect((await upgrade(stack.port(), '/ws/training', { 'Sec-WebSocket-Version': '7' })).status).toBe(400);
    });

    it('refuses more sockets than it may have', async () => {
      Object.assign(stack.limits, { sockets: 2 });
      await stack.start();
      await stack.plain().connected();
      await stack.plain().connected();
      const answer = await upgrade(stack.port(), '/ws/training');
      expect(answer.status).toBe(503);
      expect(answer.body).toContain('All 2 connections are taken');
    });
  });

  describe('admission', () => {
    const slowly = (ms: number) => async () => {
      await wait(ms);
      return principalOf('late', 'user');
    };

    it('loses nothing that is sent while the check takes 2 s', async () => {
      stack.gate.decide = slowly(2000);
      await stack.start();
      const head = [
        'GET /ws/training HTTP/1.1',
        'Host: h',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ];
      const socket = connect(stack.port(), '127.0.0.1');
      let answer = '';
      socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
      socket.write(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), clientFrame('ping')]));
      await wait(500);
      socket.write(Buffer.concat([clientFrame('{"type":"ping"}'), clientFrame('nonsense')]));
      await until(() => answer.includes('nonsense'));
      expect(answer).toContain('101 Switching Protocols');
      const types = [...answer.matchAll(/"type":"(\w+)"/g)].map(([, type]) => type);
      expect(types.slice(0, 3)).toEqual(['connection', 'pong', 'pong']);
      expect(types[3]).toBe('error');
      socket.destroy();
    });

    it('opens a Socket.IO connection whose check takes 2 s, by either transport', async () => {
      stack.gate.decide = slowly(2000);
      await stack.start();
      const clients = [stack.socketIo({ transports: ['websocket'] }), stack.socketIo({ transports: ['polling'] })];
      await until(() => clients.every((client) => client.connected));
    });

    it.each([
      ['401 where the gate says so', () => Promise.reject(new SocketRefused(401, 'Token expired')), 401],
      ['403 where the gate says so', () => Promise.reject(new SocketRefused(403, 'Not yours')), 403],
      ['503 where it could not be checked', () => Promise.reject(new Error('secret words of a key server')), 503],
      ['503 where the check takes too long', () => new Promise<never>(() => undefined), 503],
    ])('answers %s', async (_name, decide, status) => {
      Object.assign(stack.limits, { authenticationMs: 60 });
      stack.gate.decide = decide;
      await stack.start();
      for (const path of ['/ws/training', '/socket.io/?EIO=4&transport=websocket']) {
        const answer = await upgrade(stack.port(), path);
        expect(answer.status).toBe(status);
        expect(JSON.parse(answer.body)).toMatchObject({ status });
        expect(answer.body).not.toContain('secret');
      }
      const polled = await fetch(`http://127.0.0.1:${stack.port()}/socket.io/?EIO=4&transport=polling`);
      expect(polled.status).toBe(status);
    });

    it('outlives clients that leave while they are checked', async () => {
      stack.gate.decide = slowly(50);
      await stack.start();
      for (let index = 0; index < 20; index += 1) {
        const client = stack.plain();
        setTimeout(() => client.socket.terminate(), index * 4);
      }
      await wait(200);
      stack.gate.decide = slowly(0);
      expect((await stack.plain().connected()).failure).toBeUndefined();
      expect(stack.live.openSockets().websocket).toBe(1);
    });

    it('refuses pages of other origins, before it asks anything else', async () => {
      stack.gate.decide = () => Promise.reject(new Error('must not be asked'));
      await stack.start();
      const foreign = { Origin: 'https://evil.example' };
      for (const path of [
        '/ws/training',
        '/socket.io/?EIO=4&transport=websocket',
        '/socket.io/?EIO=4&transport=websocket&sid=x',
      ])
        expect((await upgrade(stack.port(), path, foreign)).status).toBe(403);
      const poll = `http://127.0.0.1:${stack.port()}/socket.io/?EIO=4&transport=polling`;
      expect((await fetch(poll, { headers: foreign })).status).toBe(403);
      expect(stack.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
    });

    it('lets loopback pages in, and only the configured ones where some are', async () => {
      await stack.start();
      const client = stack.plain('/ws/training', { Origin: 'http://localhost:5173' });
      expect((await client.connected()).failure).toBeUndefined();
      const poll = `http://127.0.0.1:${stack.port()}/socket.io/?EIO=4&transport=polling`;
      const page = await fetch(poll, { headers: { Origin: 'http://localhost:5173' } });
      expect(page.headers.get('access-control-allow-origin')).toBe('http://localhost:5173');
      expect(page.headers.get('access-control-allow-credentials')).toBeNull();
      await stack.stop();
      stack = new LiveStack({}, 'https://clara.example');
      await stack.start();
      expect((await upgrade(stack.port(), '/ws/training', { Origin: 'http://localhost:5173' })).status).toBe(403);
      expect((await upgrade(stack.port(), '/ws/training', { Origin: 'https://clara.example' })).status).toBe(101);
    });
  });

  describe('close', () => {
    it('tells everyone, ends everything within a second and takes nobody more', async () => {
      await stack.start();
      const plain = await stack.plain().connected();
      const socketIo = stack.socketIo({ transports: ['websocket'], reconnection: false });
      const polling = stack.socketIo({ transports: ['polling'], reconnection: false });
      const reasons: string[] = [];
      for (const client of [socketIo, polling]) client.on('disconnect', (reason) => reasons.push(reason));
      await until(() => socketIo.connected && polling.connected);
      const mute = connect(stack.port(), '127.0.0.1');
      mute.on('error', () => undefined);
      mute.write('GET /ws/training HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n');
      mute.write('Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
      await until(() => stack.live.openSockets().websocket === 2);
      const start = Date.now();
      await stack.live.close();
      expect(Date.now() - start).toBeLessThan(1000);
      await until(() => plain.closed !== undefined && reasons.length === 2);
      expect(plain.closed).toEqual({ code: 1001, reason: 'server going away' });
      // A client that is told "io server disconnect" would not come back by itself.
      expect(reasons).toEqual(['transport close', 'transport close']);
      expect(stack.live.openSockets()).toEqual({ websocket: 0, socketio: 0, sse: 0 });
      expect((await upgrade(stack.port(), '/ws/training')).status).toBe(503);
    });
  });
});
