import type { IncomingMessage } from 'node:http';
import type { Principal } from './principal.port.js';

/** Finds out who makes a request; one stands behind it for each security mode. */
export abstract class Authenticator {
  /** Checks the credentials of a request. @throws AppError `unauthorized`, or `unavailable` where they cannot be checked now */
  abstract authenticate(request: IncomingMessage): Promise<Principal>;
}
