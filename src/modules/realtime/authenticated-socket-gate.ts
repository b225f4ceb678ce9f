import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { AppError } from '../../kernel/errors.js';
import { Authenticator } from '../security/authenticator.port.js';
import type { Permission } from '../security/access.port.js';
import type { Principal } from '../security/principal.port.js';
import { SocketGate, SocketRefused } from './socket-gate.port.js';

/** What every live update needs. */
const NEEDED: Permission = 'training:read';

/** Asks for the same credentials as the routes. */
@Injectable()
export class AuthenticatedSocketGate extends SocketGate {
  constructor(private readonly authenticator: Authenticator) {
    super();
  }

  async check(request: IncomingMessage): Promise<Principal> {
    const principal = await this.#authenticate(request);
    if (principal.permissions.has(NEEDED)) return principal;
    throw new SocketRefused(403, `Insufficient permissions: ${NEEDED} is needed`);
  }

  async #authenticate(request: IncomingMessage): Promise<Principal> {
    try {
      return await this.authenticator.authenticate(request, 'handshake');
    } catch (error) {
      if (error instanceof AppError && error.code === 'unauthorized') throw new SocketRefused(401, error.message);
      if (error instanceof AppError && error.code === 'rate_limited')
        throw new SocketRefused(429, error.message, error.headers);
      throw error;
    }
  }
}
