import type { IncomingMessage } from 'node:http';
import type { Principal } from './principal.port.js';

/** Subprotocol that stands before the token in Sec-WebSocket-Protocol; it is the one that is answered. */
export const BEARER_PROTOCOL = 'bearer';

/** `route`: only the Authorization header counts. `handshake`: of a socket, where browsers can set no header. */
export type Where = 'route' | 'handshake';

/** Finds out who makes a request; one stands behind it for each security mode. */
export abstract class Authenticator {
  /**
   * Checks the credentials of a request.
   * @param where at the handshake of a socket, query, subprotocol and ticket count too
   * @throws AppError `unauthorized`, or `unavailable` where they cannot be checked now
   */
  abstract authenticate(request: IncomingMessage, where?: Where): Promise<Principal>;
  /** Checks a token that came after the handshake that `request` is. @throws AppError as above */
  abstract authenticateToken(request: IncomingMessage, token: string): Promise<Principal>;
  /** Whether a request is worth asking who makes it: debug mode lets in also those without credentials. */
  abstract hasCredentials(request: IncomingMessage): boolean;
  /** Who makes it, where the very same credentials were verified before and still hold; without any cryptography. */
  abstract remembered(request: IncomingMessage, where?: Where): Principal | undefined;
}
