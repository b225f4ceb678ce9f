import { Counter, Gauge, type Registry } from 'prom-client';
import type { ServiceIdentity } from '../modules/pki/service-identity.port.js';
import type { HandshakeFailure } from './handshake-failure.js';

/** Adds what TLS has to say to the metrics page. @returns what counts failed handshakes */
export function addTlsMetrics(registry: Registry, identity: ServiceIdentity): (reason: HandshakeFailure) => void {
  const registers = [registry];
  new Gauge({
    name: 'tls_certificate_expiry_timestamp_seconds',
    help: 'End of the own certificate, in seconds since 1970.',
    registers,
    collect() {
      this.set(identity.current().notAfter.getTime() / 1000);
    },
  });
  const failures = new Counter({
    name: 'tls_handshake_failures_total',
    help: 'TLS handshakes that did not come about.',
    labelNames: ['reason'],
    registers,
  });
  return (reason) => failures.inc({ reason });
}
