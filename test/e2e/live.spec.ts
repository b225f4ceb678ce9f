import { jest } from '@jest/globals';
import { get } from 'node:http';
import { io, type Socket } from 'socket.io-client';
import { WebSocket } from 'ws';
import { App } from '../fixtures/app.js';
import { PythonClient, startBrowserClient } from '../fixtures/guide-clients.js';
import { Jobs, oneTo } from '../fixtures/jobs.js';
import { eventually } from '../fixtures/waiting.js';

jest.setTimeout(180_000);

interface Update {
  job_id: string;
  status: string;
  progress_percent: number;
  step: number;
  total_steps: number;
  seconds_left: number | null;
  event: string;
  number: number;
  stream: number;
}

type Frame = { type: string; timestamp: string } & Partial<Update>;

/** A client that comes back by itself and asks for what it missed; it keeps every update it gets. */
abstract class Follower {
  readonly updates: Update[] = [];
  readonly frames: string[] = [];
  closed: { code: number; reason: string } | undefined;

  abstract cut(): void;
  abstract end(): void;

  get last(): number {
    return this.updates.at(-1)?.stream ?? 0;
  }

  protected take(frame: Frame): void {
    this.frames.push(frame.type);
    if (frame.type === 'job_update') this.updates.push(frame as Update);
  }
}

class PlainFollower extends Follower {
  #socket: WebSocket | undefined;
  #ended = false;

  constructor(private readonly url: string) {
    super();
    this.#open();
  }

  cut(): void {
    this.#socket?.terminate();
  }

  end(): void {
    this.#ended = true;
    this.#socket?.terminate();
  }

  #open(): void {
    if (this.#ended) return;
    const socket = new WebSocket(`${this.url}?after=${this.last}`);
    this.#socket = socket;
    socket.on('message', (data) => this.take(JSON.parse((data as Buffer).toString()) as Frame));
    socket.on('error', () => undefined);
    socket.on('close', (code, reason) => {
      this.closed ??= { code, reason: String(reason) };
      setTimeout(() => this.#open(), 100);
    });
  }
}

class SocketIoFollower extends Follower {
  readonly #socket: Socket;

  constructor(url: string, transports: string[]) {
    super();
    this.#socket = io(url, { transports, forceNew: true, reconnectionDelay: 100, reconnectionDelayMax: 300 });
    this.#socket.on('connect', () => this.#socket.emit('subscribe', { after: this.last }));
    this.#socket.onAny((_event: string, body: Frame) => this.take(body));
  }

  cut(): void {
    this.#socket.io.engine.close();
  }

  end(): void {
    this.#socket.disconnect();
  }
}

/** Reads an event stream to its end. */
function readStream(
  port: number,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = get({ port, path, headers: { Accept: 'text/event-stream', ...headers } }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    asked.on('error', reject);
  });
}

describe('the live updates of the running application', () => {
  let app: App;
  let jobs: Jobs;
  const followers: Follower[] = [];

  beforeAll(async () => {
    app = await App.start();
    jobs = new Jobs(app);
  });
  afterEach(() => followers.splice(0).forEach((follower) => follower.end()));
  afterAll(() => app.dispose());

  const plain = (path = '/ws/training', port = app.ports.TRAINING): Follower =>
    keep(new PlainFollower(`ws://127.0.0.1:${port}${path}`));
  const socketIo = (transports: string[], port = app.ports.TRAINING): Follower =>
    keep(new SocketIoFollower(`http://127.0.0.1:${port}`, transports));

  function keep<T extends Follower>(follower: T): T {
    followers.push(follower);
    return follower;
  }

  /** Every stored event of these jobs arrived once, in the order of the stream. */
  async function hasAll(follower: Follower, ids: string[]): Promise<void> {
    const stored = new Map(await Promise.all(ids.map(async (id) => [id, (await jobs.events(id)).length] as const)));
    const of = (id: string): Update[] => follower.updates.filter((update) => update.job_id === id);
    await eventually('all updates are there', () => ids.every((id) => of(id).length >= (stored.get(id) ?? 0)), 20_000);
    for (const id of ids) expect(of(id).map(({ number }) => number)).toEqual(oneTo(stored.get(id) ?? 0));
    const streams = follower.updates.map(({ stream }) => stream);
    expect(streams).toEqual([...new Set(streams)].toSorted((a, b) => a - b));
  }

  it("feeds the guide's own clients", async () => {
    const python = await PythonClient.start(app.ports.TRAINING);
    const browser = await startBrowserClient(app.ports.TRAINING);
    await eventually('both are connected', () => python.output.includes('WebSocket verbunden') && browser.length > 0);
    const id = await jobs.post({ data: { steps: 4, seconds: 0.2 } });
    await jobs.until(id, 'completed');
    const short = id.slice(0, 8);
    await eventually('the Python client prints the end', () =>
      python.output.includes(`Job ${short}... - completed - 100.0%`),
    );
    expect(python.output).toContain(`Job ${short}... - running - `);
    expect(python.output).toMatch(/Metrics: \{.*loss/);
    await eventually('the browser client prints the end', () => browser.includes('   Status: completed'));
    expect(browser).toContain(`📊 Job ${short}...`);
    expect(browser.join('\n')).not.toMatch(/Error|undefined|NaN/);
    python.child.kill('SIGKILL');
  });

  it('tells each logged step, on every port and by every transport', async () => {
    const all = Object.values(app.ports).flatMap((port) => [
      plain('/ws/training', port),
      plain('/api/training/ws', port),
      socketIo(['websocket'], port),
      socketIo(['polling'], port),
    ]);
    const id = await jobs.post({ data: { steps: 10, seconds: 0.05 } });
    await jobs.until(id, 'completed');
    for (const follower of all) await hasAll(follower, [id]);
    const steps = (all[0]?.updates ?? []).filter(({ event, job_id }) => event === 'progress' && job_id === id);
    expect(steps.map(({ step }) => step)).toEqual(oneTo(10));
    expect(steps.every(({ total_steps, status }) => total_steps === 10 && status === 'running')).toBe(true);
    const percents = steps.map(({ progress_percent }) => progress_percent);
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    expect(all[0]?.updates.at(-1)).toMatchObject({ status: 'completed', progress_percent: 100 });
  });

  it('loses nothing for clients that are cut off and come back', async () => {
    const all = [
      ...oneTo(20).map(() => plain()),
      ...oneTo(20).map((n) => socketIo([n % 4 === 0 ? 'polling' : 'websocket'])),
    ];
    const ids = await Promise.all(oneTo(4).map(() => jobs.post({ data: { steps: 25, seconds: 0.03 } })));
    const cutting = setInterval(() => all.filter(() => Math.random() < 0.2).forEach((follower) => follower.cut()), 300);
    for (const id of ids) await jobs.until(id, 'completed');
    clearInterval(cutting);
    for (const follower of all) await hasAll(follower, ids);
    expect(all.every((follower) => !follower.frames.includes('gap'))).toBe(true);
  });

  it('streams the events of a job until it ends, and goes on where a reader stopped', async () => {
    const id = await jobs.post({ data: { steps: 5, seconds: 0.1 } });
    const path = `/api/training/jobs/${id}/events`;
    const { text } = await readStream(app.ports.TRAINING, path);
    const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, number]) => Number(number));
    expect(ids).toEqual(oneTo((await jobs.events(id)).length));
    const again = await readStream(app.ports.MAIN, path, { 'Last-Event-ID': '2' });
    expect(again.text).toContain('id: 3\n');
    expect(again.text).not.toContain('id: 2\n');
    expect((await readStream(app.ports.MAIN, path, { 'Last-Event-ID': String(ids.at(-1)) })).status).toBe(204);
  });

  it('refuses foreign pages and unknown sockets', async () => {
    const outcome = (path: string, headers = {}): Promise<string> =>
      new Promise((resolve) => {
        const socket = new WebSocket(`ws://127.0.0.1:${app.ports.SERVING}${path}`, { headers });
        socket.on('error', (error) => resolve(error.message));
        socket.on('open', () => resolve('open'));
        socket.on('open', () => socket.terminate());
      });
    expect(await outcome('/ws/nothing')).toContain('404');
    expect(await outcome('/ws/training', { Origin: 'https://evil.example' })).toContain('403');
    expect(await outcome('/ws/training', { Origin: `http://localhost:${app.ports.MAIN}` })).toBe('open');
  });

  it('says goodbye when it stops, and clients go on after it starts again, killed or not', async () => {
    const all = [plain(), plain(), socketIo(['websocket']), socketIo(['polling'])];
    const python = await PythonClient.start(app.ports.TRAINING);
    await eventually('the Python client is connected', () => python.output.includes('verbunden'));
    const id = await jobs.post({ data: { steps: 60, seconds: 0.1 } });
    await jobs.until(id, 'running');
    await app.kill('SIGTERM');
    expect(all[0]?.closed).toEqual({ code: 1001, reason: 'server going away' });
    expect(await python.ended()).toBe(0);
    expect(python.output).toContain('Verbindung geschlossen');
    await app.restart();
    await jobs.when(id, 'goes on', ({ current_step }) => (current_step ?? 0) > 20);
    await app.kill('SIGKILL');
    await app.restart();
    await jobs.until(id, 'completed');
    for (const follower of all) await hasAll(follower, [id]);
  });
});
