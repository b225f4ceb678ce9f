import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { Authenticator } from './authenticator.port.js';
import { permissions } from './permissions.js';
import type { Principal } from './principal.port.js';

/** Debug mode: no token is asked for, everybody is the mock user and may do everything. */
@Injectable()
export class DebugAuthenticator extends Authenticator {
  readonly #user: Principal;

  constructor(settings: Settings) {
    super();
    const { debugUser, debugRoles } = settings.security;
    this.#user = {
      subject: debugUser,
      roles: debugRoles,
      groups: [],
      permissions: new Set(permissions),
      via: 'debug',
      expiresAt: null,
      tokenId: null,
    };
  }

  authenticate(): Promise<Principal> {
    return Promise.resolve(this.#user);
  }

  authenticateToken(): Promise<Principal> {
    return this.authenticate();
  }

  remembered(): Principal {
    return this.#user;
  }

  hasCredentials(): boolean {
    return true;
  }
}
