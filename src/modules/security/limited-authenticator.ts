import type { IncomingMessage } from 'node:http';
import { AppError } from '../../kernel/errors.js';
import type { ClientAddress } from '../limits/client-address.port.js';
import { Authenticator, type Where } from './authenticator.port.js';
import type { FailedAttempts } from './failed-attempts.port.js';
import { isInvalidToken } from './credentials.js';
import type { Principal } from './principal.port.js';

/**
 * Looks at no unknown token of an address from which too many failed: guessing costs no cryptography. An office shares
 * one address, so those whose token was verified before work on.
 */
export class LimitedAuthenticator extends Authenticator {
  constructor(
    private readonly inner: Authenticator,
    private readonly attempts: FailedAttempts,
    private readonly addresses: ClientAddress,
  ) {
    super();
  }

  remembered(request: IncomingMessage, where?: Where): Principal | undefined {
    return this.inner.remembered(request, where);
  }

  hasCredentials(request: IncomingMessage): boolean {
    return this.inner.hasCredentials(request);
  }

  authenticate(request: IncomingMessage, where?: Where): Promise<Principal> {
    const known = () => this.inner.remembered(request, where);
    return this.#limited(request, known, () => this.inner.authenticate(request, where));
  }

  authenticateToken(request: IncomingMessage, token: string): Promise<Principal> {
    return this.#limited(
      request,
      () => undefined,
      () => this.inner.authenticateToken(request, token),
    );
  }

  async #limited(
    request: IncomingMessage,
    known: () => Principal | undefined,
    authenticate: () => Promise<Principal>,
  ): Promise<Principal> {
    const from = this.addresses.networkOf(request);
    const seconds = this.attempts.blocked(from);
    if (seconds !== null) return known() ?? refuse(seconds);
    try {
      return await authenticate();
    } catch (error) {
      if (isInvalidToken(error)) this.attempts.failed(from);
      throw error;
    }
  }
}

function refuse(seconds: number): never {
  throw new AppError(
    'rate_limited',
    `Too many tokens from this address were not valid; try again in ${seconds} s`,
    [],
    { 'Retry-After': String(seconds) },
  );
}
