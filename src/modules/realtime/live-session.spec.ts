import { until } from '../../../test/fixtures/live-feed.js';
import { LiveStack } from '../../../test/fixtures/live-stack.js';

describe('a client that says too much', () => {
  let stack: LiveStack;
  beforeEach(async () => {
    stack = new LiveStack({ messagesPerMinute: 3 });
    await stack.start();
  });
  afterEach(() => stack.stop());

  it('is closed by the plain WebSocket', async () => {
    const client = stack.plain();
    let code = 0;
    client.socket.on('close', (closed: number) => (code = closed));
    await until(() => client.socket.readyState === client.socket.OPEN);
    for (let sent = 0; sent < 3; sent += 1) client.socket.send('ping');
    await until(() => client.frames.filter(({ type }) => type === 'pong').length === 3);
    expect(code).toBe(0);
    for (let sent = 0; sent < 10; sent += 1) client.socket.send('ping');
    await until(() => code !== 0);
    expect(code).toBe(1013);
    expect(client.frames.filter(({ type }) => type === 'pong')).toHaveLength(3);
  });

  it('is closed by Socket.IO', async () => {
    const client = stack.socketIo({ reconnection: false });
    let pongs = 0;
    client.on('pong', () => (pongs += 1));
    await until(() => client.connected);
    for (let sent = 0; sent < 10; sent += 1) client.emit('ping');
    await until(() => !client.connected);
    expect(pongs).toBeLessThanOrEqual(3);
  });
});
