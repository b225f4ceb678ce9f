import type { IncomingMessage } from 'node:http';
import type { Principal } from '../security/principal.port.js';

/** Thrown by a gate that knows the answer is no: 401 without valid credentials, 403 without the right, 429 after too many failures. */
export class SocketRefused extends Error {
  constructor(
    readonly status: 401 | 403 | 429,
    detail: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
  }
}

/** Decides who may open a socket, before the handshake is answered. It may take its time: nothing is lost meanwhile. */
export abstract class SocketGate {
  /** @throws SocketRefused; any other error means that it could not be checked */
  abstract check(request: IncomingMessage, signal: AbortSignal): Promise<Principal>;
  /** The same for a token that came after the handshake. */
  abstract checkToken(request: IncomingMessage, token: string, signal: AbortSignal): Promise<Principal>;
  /** Whether the handshake itself brings what `check` asks for; a Socket.IO client may send it afterwards. */
  abstract comesWithCredentials(request: IncomingMessage): boolean;
}
