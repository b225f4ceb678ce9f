import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import type { Principal } from '../security/principal.port.js';
import { Admission, Refusal } from './admission.js';
import { LiveLimits } from './live-limits.js';
import { refuseUpgrade } from './refusal-answer.js';
import { serveWithoutUpgrade } from './ignored-upgrade.js';

interface Address {
  path: string;
  query: URLSearchParams;
}

export interface Upgrade extends Address {
  request: IncomingMessage;
  socket: Duplex;
  /** What the client sent after its request. */
  head: Buffer;
  /** Who it is; undefined where the session was let in before, or the client says it after the handshake. */
  principal: Principal | undefined;
}

export interface UpgradeHandler {
  /** True where the connection belongs to a session that was let in before. */
  isAdmitted?(query: URLSearchParams): boolean;
  /** True where a client without credentials is asked for them after the handshake. */
  asksLater?: boolean;
  open(upgrade: Upgrade): void;
}

/** The path as it was sent, not made regular: nothing but the known paths leads anywhere. */
export function addressOf({ url = '' }: IncomingMessage): Address {
  const [path = '', query = ''] = url.split(/\?(.*)/s, 2);
  return { path, query: new URLSearchParams(query) };
}

/** Takes the upgrade requests of all servers of the application to where they belong; there is no other listener. */
@Injectable()
export class UpgradeRouter {
  readonly #handlers = new Map<string, UpgradeHandler>();
  readonly #sockets = new Set<Duplex>();
  #closing = false;

  constructor(
    private readonly admission: Admission,
    private readonly limits: LiveLimits,
    private readonly log: Log,
  ) {}

  register(path: string, handler: UpgradeHandler): void {
    this.#handlers.set(path, handler);
  }

  attach(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (request.headers.upgrade?.toLowerCase() !== 'websocket') serveWithoutUpgrade(server, request, socket, head);
      else void this.#route({ ...addressOf(request), request, socket, head, principal: undefined });
    });
  }

  /** Connections that are open, or wait for the answer to their request. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Refuses what comes from now on, and waits until all are gone; what is left after `ms` is cut. */
  async close(ms: number): Promise<void> {
    this.#closing = true;
    const gone = [...this.#sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    const cut = setTimeout(() => this.#sockets.forEach((socket) => socket.destroy()), ms);
    await Promise.all(gone);
    clearTimeout(cut);
  }

  async #route(upgrade: Upgrade): Promise<void> {
    const { path, query, request, socket } = upgrade;
    this.#watch(socket);
    try {
      const handler = this.#handlerOf(path);
      this.admission.checkOrigin(request);
      const principal = handler.isAdmitted?.(query) ? undefined : await this.#admit(request, handler);
      if (this.#closing) throw new Refusal(503, 'The server is going away; connect again');
      if (!socket.destroyed) handler.open({ ...upgrade, principal });
    } catch (error) {
      refuseUpgrade(socket, this.#refusal(error));
    }
  }

  /** The socket is nobody's while the request is checked: an error of it must not end the process. */
  #watch(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.on('error', (error) => this.log.debug('a socket broke', { error: messageOf(error) }));
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #handlerOf(path: string): UpgradeHandler {
    const handler = this.#handlers.get(path);
    if (handler) return handler;
    const known = [...this.#handlers.keys()].join(', ');
    throw new Refusal(404, `There is no socket at ${path.slice(0, 100)}; known are ${known}`);
  }

  async #admit(request: IncomingMessage, { asksLater }: UpgradeHandler): Promise<Principal | undefined> {
    if (this.connections > this.limits.sockets)
      throw new Refusal(503, `All ${this.limits.sockets} connections are taken; try again later`);
    if (asksLater && !this.admission.comesWithCredentials(request)) {
      this.admission.admitUnknown(request);
      return undefined;
    }
    const principal = await this.admission.admit(request);
    this.log.debug('a socket opens', { url: request.url?.split('?', 1)[0], subject: principal.subject });
    return principal;
  }

  #refusal(error: unknown): Refusal {
    if (error instanceof Refusal) return error;
    this.log.error('opening a socket failed', { error: messageOf(error) });
    return new Refusal(503, 'The socket could not be opened; try again');
  }
}
