import { createServer, type RequestListener, type Server } from 'node:http';
import { httpLimits } from './doors/http-limits.js';
import { markService, type ServiceName } from './kernel/service-port.js';

const CLOSE_MS = 2000;

/** One HTTP server a port, all with the same handler. */
export class Listeners {
  private constructor(readonly servers: readonly Server[]) {}

  /** @throws Error naming the port and the setting when one is taken; then none is left open */
  static async open(
    host: string,
    ports: Partial<Record<ServiceName, number>>,
    handler: RequestListener,
    attach: (servers: readonly Server[]) => void,
  ): Promise<Listeners> {
    const entries = Object.entries(ports) as [ServiceName, number][];
    const servers = entries.map(([service, port]) =>
      createServer(httpLimits, (request, response) => {
        markService(request, service, port);
        handler(request, response);
      }),
    );
    attach(servers);
    const listeners = new Listeners(servers);
    const opened = await Promise.allSettled(
      entries.map(([service, port], index) => listen(servers[index] as Server, host, port, service)),
    );
    const refused = opened.flatMap((result) => (result.status === 'rejected' ? [String(result.reason.message)] : []));
    if (refused.length === 0) return listeners;
    await listeners.close();
    throw new Error(refused.join('\n'));
  }

  /** Takes no new connections, lets answers in progress end, and cuts what is left. */
  async close(): Promise<void> {
    await Promise.all(this.servers.map(closeServer));
  }
}

function listen(server: Server, host: string, port: number, service: ServiceName): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new Error(explain(error, host, port, service))));
    server.listen(port, host, resolve);
  });
}

function explain(error: NodeJS.ErrnoException, host: string, port: number, service: ServiceName): string {
  const setting = `CLARA_${service.toUpperCase()}_PORT`;
  if (error.code === 'EADDRINUSE')
    return `Port ${port} of ${host} is taken (${setting}). Stop what listens there, most often another CLARA, or set ${setting} to another port`;
  return `${host}:${port} (${setting}) cannot be listened on: ${error.message}`;
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
  await closed;
  clearTimeout(timer);
}
