import { createServer, type Server } from 'node:https';
import type { RequestListener, ServerOptions } from 'node:http';
import { createSecureContext, type TLSSocket } from 'node:tls';
import type { Clock } from '../kernel/clock.js';
import { messageOf } from '../kernel/errors.js';
import type { Log } from '../kernel/log.js';
import type { ServiceIdentity } from '../modules/pki/service-identity.port.js';
import { handshakeFailure, type HandshakeFailure } from './handshake-failure.js';
import { PeerConnections } from './peer-connections.js';
import { contextOptions, handshakeOptions, type TlsProtocol } from './tls-options.js';

const SWEEP_MS = 1000;

/** What TLS doors tell about themselves. */
export interface DoorWatch {
  log: Log;
  clock: Clock;
  /** @param address of the peer; empty where it is gone already */
  handshakeFailed(reason: HandshakeFailure, address: string): void;
}

/** The servers that speak TLS, with the certificate of the moment; they close what a certificate no longer carries. */
export class TlsDoors {
  readonly #servers = new Map<Server, TlsProtocol>();
  readonly #peers = new PeerConnections();
  readonly #ends: (() => void)[];

  constructor(
    private readonly identity: ServiceIdentity,
    private readonly watch: DoorWatch,
  ) {
    const timer = setInterval(() => this.#sweep(), SWEEP_MS).unref();
    this.#ends = [
      identity.onChange(() => this.#renew()),
      identity.onRevoked((serials) => this.#close(serials)),
      () => clearInterval(timer),
    ];
  }

  /** A server that does not listen yet. @throws Error where certificate and key cannot be used */
  server(protocol: TlsProtocol, options: ServerOptions, handler: RequestListener): Server {
    const context = contextOptions(protocol, this.identity.current());
    const server = createServer({ ...options, ...handshakeOptions(protocol), ...context }, handler);
    // Before HTTP reads from the socket.
    server.prependListener('secureConnection', (socket: TLSSocket) => this.#admit(socket));
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => this.#failed(error, socket));
    this.#servers.set(server, protocol);
    return server;
  }

  /** Follows the certificate no longer. */
  release(): void {
    for (const end of this.#ends.splice(0)) end();
  }

  #admit(socket: TLSSocket): void {
    if (!socket.authorized) return;
    const { serialNumber, valid_to } = socket.getPeerCertificate();
    const serial = serialNumber.toLowerCase();
    this.#peers.add(serial, Date.parse(valid_to), socket);
    // Revoked while it shook hands, against the CRL of before.
    if (!this.identity.isRevoked(serial)) return;
    this.watch.handshakeFailed('revoked', socket.remoteAddress ?? '');
    socket.destroy();
  }

  #failed(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    const { authorizationError } = socket as { authorizationError?: Error | string | null };
    const reason = handshakeFailure(error.code, authorizationError ? String(authorizationError) : undefined);
    this.watch.handshakeFailed(reason, socket.remoteAddress ?? '');
    this.watch.log.debug('a TLS handshake failed', { reason, code: error.code });
  }

  /** Connections that are open go on under the certificate they began with. */
  #renew(): void {
    const { log } = this.watch;
    try {
      const identity = this.identity.current();
      // All or none: a pair that cannot be used must not reach half of the doors.
      createSecureContext(contextOptions('mtls', identity));
      for (const [server, protocol] of this.#servers) server.setSecureContext(contextOptions(protocol, identity));
      log.info('the doors have a new certificate or CRL', {
        serial: identity.serial,
        not_after: identity.notAfter.toISOString(),
      });
    } catch (error) {
      log.error('the new certificate or CRL cannot be used; the doors keep the one they have', {
        error: messageOf(error),
      });
    }
  }

  #close(serials: readonly string[]): void {
    const closed = this.#peers.close(serials);
    if (closed > 0) this.watch.log.warn('connections were closed: their certificate has ended', { serials, closed });
  }

  #sweep(): void {
    const ended = this.#peers.ended(this.watch.clock.now(), (serial) => this.identity.isRevoked(serial));
    if (ended.length > 0) this.#close(ended);
  }
}
