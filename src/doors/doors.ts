import { isLoopback } from '../config/security-settings.js';
import type { Settings } from '../config/settings.js';
import type { ServiceName } from '../kernel/service-port.js';

/**
 * `tls`: nobody is asked for a certificate. `tls-optional`: one is asked for, and one that cannot be verified counts as
 * none. `mtls`: a connection without a certificate of the internal CA does not come about.
 */
export type DoorProtocol = 'http' | 'tls' | 'tls-optional' | 'mtls';

export type Serves = 'everything' | 'metrics' | 'probes' | 'pki';

/** A port that the application listens on, who gets through it, and to what. */
export interface Door {
  service: ServiceName;
  host: string;
  port: number;
  /** The setting that moves it. */
  setting: string;
  protocol: DoorProtocol;
  serves: Serves;
}

type DoorSettings = Pick<Settings, 'security' | 'http' | 'tls' | 'pki'>;

/** Every door of the mode. */
export function doorsOf(settings: DoorSettings): Door[] {
  const services = Object.entries(settings.http.ports).map(([service, port]) =>
    serviceDoor(service as ServiceName, port, settings),
  );
  return [...services, ...(settings.tls.mutual ? furtherDoors(settings) : []), ...pkiDoors(settings)];
}

function serviceDoor(service: ServiceName, port: number, settings: DoorSettings): Door {
  const { security, http } = settings;
  const onlyMetrics = service === 'metrics' && security.mode === 'production';
  return {
    service,
    host: http.host,
    port,
    setting: `CLARA_${service.toUpperCase()}_PORT`,
    protocol: protocolOf(service, port, settings),
    serves: onlyMetrics ? 'metrics' : 'everything',
  };
}

function protocolOf(service: ServiceName, port: number, { http, tls }: DoorSettings): DoorProtocol {
  if (!tls.mutual) return 'http';
  if (service === 'metrics') return isLoopback(http.host) ? 'http' : 'tls-optional';
  return port === tls.publicPort ? 'tls' : 'mtls';
}

function furtherDoors({ http, tls }: DoorSettings): Door[] {
  const { host } = http;
  const doors: Door[] = [
    { service: 'main', ...tls.probe, setting: 'CLARA_PROBE_PORT', protocol: 'http', serves: 'probes' },
  ];
  if (tls.publicPort !== http.ports.main) {
    const port = tls.publicPort;
    doors.push({ service: 'main', host, port, setting: 'CLARA_PUBLIC_PORT', protocol: 'tls', serves: 'everything' });
  }
  return doors;
}

/** The certificate authority speaks TLS in every mode. */
function pkiDoors({ http: { host }, pki: { enabled, port } }: DoorSettings): Door[] {
  if (!enabled) return [];
  return [{ service: 'pki', host, port, setting: 'CLARA_PKI_PORT', protocol: 'tls-optional', serves: 'pki' }];
}
