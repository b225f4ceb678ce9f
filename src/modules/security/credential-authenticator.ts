import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Authenticator, type Where } from './authenticator.port.js';
import { credentialsOf, readCredentials, type Credentials } from './credentials.js';
import { JsonWebTokens } from './json-web-tokens.port.js';
import { PersonalTokens } from './personal-tokens.service.js';
import type { Principal } from './principal.port.js';
import { Tickets } from './tickets.service.js';

/** Asks for credentials, whatever kind they are of. */
@Injectable()
export class CredentialAuthenticator extends Authenticator {
  constructor(
    private readonly webTokens: JsonWebTokens,
    private readonly personalTokens: PersonalTokens,
    private readonly tickets: Tickets,
  ) {
    super();
  }

  async authenticate(request: IncomingMessage, where: Where = 'route'): Promise<Principal> {
    return this.#check(readCredentials(request, where));
  }

  async authenticateToken(_request: IncomingMessage, token: string): Promise<Principal> {
    return this.#check(credentialsOf(token));
  }

  remembered(request: IncomingMessage, where: Where = 'route'): Principal | undefined {
    const credentials = readCredentials(request, where);
    switch (credentials.kind) {
      case 'jwt':
        return this.webTokens.remembered(credentials.token);
      case 'personal':
        return this.personalTokens.remembered(credentials.token);
      case 'ticket':
        return undefined;
    }
  }

  hasCredentials(request: IncomingMessage): boolean {
    if (request.headers.authorization !== undefined) return true;
    return /[?&](access_token|token|ticket)=/.test(request.url ?? '') || 'sec-websocket-protocol' in request.headers;
  }

  #check(credentials: Credentials): Promise<Principal> {
    switch (credentials.kind) {
      case 'jwt':
        return this.webTokens.verify(credentials.token);
      case 'personal':
        return this.personalTokens.verify(credentials.token);
      case 'ticket':
        return this.tickets.redeem(credentials.ticket);
    }
  }
}
