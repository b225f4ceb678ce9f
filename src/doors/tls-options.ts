import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import type { Identity } from '../modules/pki/service-identity.port.js';
import type { DoorProtocol } from './doors.js';

export type TlsProtocol = Exclude<DoorProtocol, 'http'>;

/** Forward secrecy and AES-GCM only, as BSI TR-02102-2 has them. */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
].join(':');

const HANDSHAKE_MS = 10_000;

/** What a door asks of its clients; stays for its life. */
export const handshakeOptions = (protocol: TlsProtocol) => ({
  requestCert: protocol !== 'tls',
  rejectUnauthorized: protocol === 'mtls',
  ALPNProtocols: ['http/1.1'],
  handshakeTimeout: HANDSHAKE_MS,
});

/** The part that changes with the certificate and the CRL. */
export function contextOptions(protocol: TlsProtocol, identity: Identity): SecureContextOptions {
  const { key, cert, ca, crl } = identity;
  const { SSL_OP_NO_RENEGOTIATION, SSL_OP_NO_TICKET } = constants;
  const own = { key, cert, minVersion: 'TLSv1.2', ciphers: CIPHERS, honorCipherOrder: true } as const;
  if (protocol === 'tls') return { ...own, secureOptions: SSL_OP_NO_RENEGOTIATION };
  // A resumed session is not checked against the CRL again: where certificates count, none is resumed.
  const secureOptions = SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET;
  return { ...own, ca, ...(crl.length > 0 ? { crl } : {}), secureOptions };
}
