import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

/** Reading a certificate costs more than a request may: once a connection, whose certificate never changes. */
const serials = new WeakMap<TLSSocket, string | null>();

/** Serial number of the client's certificate, hexadecimal in lower case; null without one that was verified. */
export function peerCertificate({ socket }: Pick<IncomingMessage, 'socket'>): string | null {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return null;
  const known = serials.get(socket);
  if (known !== undefined) return known;
  const serial = socket.getPeerCertificate().serialNumber?.toLowerCase() ?? null;
  serials.set(socket, serial);
  return serial;
}
