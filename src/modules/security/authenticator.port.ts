import type { IncomingMessage } from 'node:http';
import type { Principal } from './principal.port.js';

/** Finds out who makes a request; one stands behind it for each security mode. */
export abstract class Authenticator {
  /**
   * Checks the credentials of a request, of a socket's handshake where `place` says so.
   * @throws AppError `unauthorized`, or `unavailable` where they cannot be checked now
   */
  abstract authenticate(request: IncomingMessage, place?: 'route' | 'handshake'): Promise<Principal>;

  /** Who makes it, where the very same credentials were verified before and still hold; without any cryptography. */
  remembered(_request: IncomingMessage, _place?: 'route' | 'handshake'): Principal | undefined {
    return undefined;
  }
}
