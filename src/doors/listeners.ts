import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { ServiceIdentity } from '../modules/pki/service-identity.port.js';
import { doorHandler } from './door-handler.js';
import type { Door } from './doors.js';
import type { Messages } from './express-messages.js';
import { httpLimits } from './http-limits.js';
import { TlsDoors, type DoorWatch } from './tls-doors.js';

const CLOSE_MS = 2000;

export interface Behind {
  /** Undefined where no door speaks TLS. */
  identity: ServiceIdentity | undefined;
  handler: RequestListener;
  /** What the handler's requests and answers are made of; undefined: Node's own. */
  messages?: Messages;
  /** Serves sockets on the servers that lead everywhere. */
  attach: (servers: readonly Server[]) => void;
  watch: DoorWatch;
}

/** One server a door, all with the same handler. */
export class Listeners {
  readonly #sockets = new Set<Socket>();

  private constructor(
    readonly servers: readonly Server[],
    private readonly tls: TlsDoors | undefined,
  ) {
    // Also those that never finish their handshake, which no HTTP server knows.
    for (const server of servers) server.on('connection', (socket: Socket) => this.#watch(socket));
  }

  /** @throws Error naming each port that is taken and its setting; then none is left open */
  static async open(doors: readonly Door[], behind: Behind): Promise<Listeners> {
    const tls = behind.identity && new TlsDoors(behind.identity, behind.watch);
    const servers = serversOf(doors, behind, tls);
    behind.attach(servers.filter((_, index) => doors[index]?.serves === 'everything'));
    const listeners = new Listeners(servers, tls);
    const opened = await Promise.allSettled(doors.map((door, index) => listen(servers[index] as Server, door)));
    const refused = opened.flatMap((result) => (result.status === 'rejected' ? [String(result.reason.message)] : []));
    if (refused.length === 0) return listeners;
    await listeners.close();
    throw new Error(refused.join('\n'));
  }

  /** Takes no new connections, lets answers in progress end, and cuts what is left. */
  async close(): Promise<void> {
    this.tls?.release();
    const cut = setTimeout(() => this.#sockets.forEach((socket) => socket.destroy()), CLOSE_MS);
    await Promise.all(this.servers.map(closeServer));
    clearTimeout(cut);
  }

  #watch(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}

function serversOf(doors: readonly Door[], behind: Behind, tls: TlsDoors | undefined): Server[] {
  try {
    return doors.map((door) => serverOf(door, behind, tls));
  } catch (error) {
    tls?.release();
    throw error;
  }
}

function serverOf(door: Door, { handler, messages }: Behind, tls: TlsDoors | undefined): Server {
  const guarded = doorHandler(door, handler);
  const options = { ...httpLimits, ...messages };
  if (door.protocol === 'http') return createServer(options, guarded);
  if (!tls) throw new Error(`${door.setting}: this port speaks TLS, and there is no certificate`);
  return tls.server(door.protocol, options, guarded);
}

function listen(server: Server, door: Door): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new Error(explain(error, door))));
    server.listen(door.port, door.host, resolve);
  });
}

function explain(error: NodeJS.ErrnoException, { host, port, setting }: Door): string {
  if (error.code === 'EADDRINUSE')
    return `Port ${port} of ${host} is taken (${setting}). Stop what listens there, most often another CLARA, or set ${setting} to another port`;
  return `${host}:${port} (${setting}) cannot be listened on: ${error.message}`;
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
  server.closeIdleConnections();
  await closed;
}
