import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { AppError } from '../../kernel/errors.js';
import { AuditTrail } from '../audit/audit.port.js';
import { Authenticator } from '../security/authenticator.port.js';
import type { Permission } from '../security/access.port.js';
import { peerCertificate } from '../security/peer-certificate.port.js';
import type { Principal } from '../security/principal.port.js';
import { SocketGate, SocketRefused } from './socket-gate.port.js';

/** What every live update needs. */
const NEEDED: Permission = 'training:read';

/** Asks for the same credentials as the routes. */
@Injectable()
export class AuthenticatedSocketGate extends SocketGate {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly audit: AuditTrail,
  ) {
    super();
  }

  check(request: IncomingMessage): Promise<Principal> {
    return this.#allow(request, () => this.authenticator.authenticate(request, 'handshake'));
  }

  checkToken(request: IncomingMessage, token: string): Promise<Principal> {
    return this.#allow(request, () => this.authenticator.authenticateToken(request, token));
  }

  comesWithCredentials(request: IncomingMessage): boolean {
    return this.authenticator.hasCredentials(request);
  }

  async #allow(request: IncomingMessage, authenticate: () => Promise<Principal>): Promise<Principal> {
    const from = { address: request.socket.remoteAddress ?? '', requestId: '', certificate: peerCertificate(request) };
    try {
      const principal = await authenticate();
      if (principal.permissions.has(NEEDED)) return principal;
      this.audit.refused(
        { ...principal, ...from },
        { action: 'socket.open', detail: { status: 403, permission: NEEDED } },
      );
      throw new SocketRefused(403, `Insufficient permissions: ${NEEDED} is needed`);
    } catch (error) {
      if (error instanceof AppError && error.code === 'rate_limited')
        throw new SocketRefused(429, error.message, error.headers);
      if (!(error instanceof AppError) || error.code !== 'unauthorized') throw error;
      this.audit.refused(from, { action: 'socket.open', detail: { status: 401, reason: error.message } });
      throw new SocketRefused(401, error.message);
    }
  }
}
