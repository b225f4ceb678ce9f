import { createServer, IncomingMessage, ServerResponse, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { Express } from 'express';
import { expressMessages } from './express-messages.js';

describe('messages of an Express application', () => {
  let server: Server;
  const changed: unknown[] = [];

  beforeAll(async () => {
    const app: Express = new ExpressAdapter().getInstance();
    app.post('/:name', (request, response) => void response.status(201).json({ name: request.params.name }));
    server = createServer(expressMessages(app), (request, response) => {
      changed.push(Object.getPrototypeOf(request) === app.request, Object.getPrototypeOf(response) === app.response);
      changed.push(request instanceof IncomingMessage, response instanceof ServerResponse);
      app(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('have its prototypes before it sees them, and answer', async () => {
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/akte`, { method: 'POST', body: 'x'.repeat(100_000) });
    expect([response.status, await response.json()]).toEqual([201, { name: 'akte' }]);
    expect(changed).toEqual([true, true, true, true]);
  });
});
