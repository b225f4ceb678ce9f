import type { IncomingMessage } from 'node:http';
import { AppError } from '../../kernel/errors.js';
import type { ClientAddress } from '../limits/client-address.port.js';
import { Authenticator } from './authenticator.port.js';
import type { FailedAttempts } from './failed-attempts.port.js';
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

  override remembered(request: IncomingMessage, place?: 'route' | 'handshake'): Principal | undefined {
    return this.inner.remembered(request, place);
  }

  async authenticate(request: IncomingMessage, place?: 'route' | 'handshake'): Promise<Principal> {
    const from = this.addresses.networkOf(request);
    const seconds = this.attempts.blocked(from);
    if (seconds !== null) return this.inner.remembered(request, place) ?? refuse(seconds);
    try {
      return await this.inner.authenticate(request, place);
    } catch (error) {
      if (error instanceof AppError && error.code === 'unauthorized') this.attempts.failed(from);
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
