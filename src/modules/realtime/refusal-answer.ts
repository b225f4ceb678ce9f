import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Refusal } from './admission.js';

/** Time that a refused client has to take its answer. */
const LINGER_MS = 1000;

function problem({ status, message, headers }: Refusal): { headers: Record<string, string | number>; body: string } {
  const body = JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail: message });
  return {
    headers: {
      'Content-Type': 'application/problem+json',
      'Content-Length': Buffer.byteLength(body),
      Connection: 'close',
      ...headers,
      ...(status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
    },
    body,
  };
}

/** Answers an upgrade request with HTTP and closes the connection. */
export function refuseUpgrade(socket: Duplex, refusal: Refusal): void {
  const { headers, body } = problem(refusal);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\n${lines.join('')}\r\n${body}`);
  // What the client still sends is thrown away, else closing would discard the answer with it.
  socket.resume();
  const cut = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(cut));
}

export function refuseRequest(response: ServerResponse, refusal: Refusal): void {
  const { headers, body } = problem(refusal);
  response.writeHead(refusal.status, headers).end(body);
}
