import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

/** Serial number of the client's certificate, hexadecimal in lower case; null without one that was verified. */
export function peerCertificate({ socket }: Pick<IncomingMessage, 'socket'>): string | null {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return null;
  return socket.getPeerCertificate().serialNumber?.toLowerCase() ?? null;
}
