import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { watchBody } from './body-deadline.js';

const PACE = { ms: 200, leastBytes: 100 };
const FORM = 'Content-Type: multipart/form-data; boundary=x\r\n';

describe('a body that comes slowly', () => {
  let server: Server;

  beforeAll(async () => {
    server = createServer({ requestTimeout: 0 }, (request, response) => {
      watchBody(request, response, PACE);
      request.resume().once('end', () => response.end('all here'));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => server.close());

  async function open(headers: string): Promise<{ socket: Socket; answer: Promise<string> }> {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    let text = '';
    socket.on('data', (part: Buffer) => (text += part.toString()));
    socket.on('error', () => undefined);
    const answer = once(socket, 'close').then(() => text);
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`);
    await once(socket, 'connect');
    return { socket, answer };
  }

  async function drip({ socket }: { socket: Socket }, parts: number, bytes: number): Promise<void> {
    for (let part = 0; part < parts && !socket.destroyed; part++) {
      if (socket.writable) socket.write('a'.repeat(bytes));
      await sleep(50);
    }
  }

  it('may take any time where it is an upload that moves', async () => {
    const request = await open(`${FORM}Content-Length: 2000\r\n`);
    await drip(request, 20, 100);
    expect(await request.answer).toContain('all here');
  });

  it.each([
    ['an upload that stands still', `${FORM}Content-Length: 2000\r\n`, 1],
    ['any other, however it moves', 'Content-Type: application/json\r\nContent-Length: 2000\r\n', 100],
  ])('ends with 408: %s', async (_what, headers, bytes) => {
    const request = await open(headers);
    await drip(request, 15, bytes);
    expect(await request.answer).toMatch(/^HTTP\/1\.1 408 /);
  });
});
