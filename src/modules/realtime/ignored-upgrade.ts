import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

const dropped = new Set(['upgrade', 'connection', 'http2-settings']);

/**
 * Serves a request that offers another protocol than WebSocket as if it did not (RFC 9110, section 7.8). Java's HTTP
 * client offers h2c with every request, and Node takes each offer for an upgrade once there is a listener for them.
 */
export function serveWithoutUpgrade(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (!dropped.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[index + 1]}`);
  }
  // Header bytes are Latin-1 on the wire and in rawHeaders.
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  // The event whose listener reads HTTP from a socket.
  server.emit(socket instanceof TLSSocket ? 'secureConnection' : 'connection', socket);
}
