import { readSettings } from '../config/settings.js';
import { leadsTo } from './door-handler.js';
import { doorsOf, type Serves } from './doors.js';

const FILES = { SERVICE_CERT_PATH: '/c', SERVICE_KEY_PATH: '/k', CA_CERT_PATH: '/a' };
const PASSPHRASE = { CLARA_PKI_PASSPHRASE: 'a passphrase of the CA' };
const shown = (env: Record<string, string>): string[] =>
  doorsOf(
    readSettings({ CLARA_SECURITY_MODE: 'production', HOME: '/home/erika', ...PASSPHRASE, ...env }, '/srv/clara'),
  ).map(({ setting, host, port, protocol, serves }) => `${setting} ${host}:${port} ${protocol} ${serves}`);

const plain = (metrics: Serves) => [
  'CLARA_MAIN_PORT 127.0.0.1:45678 http everything',
  'CLARA_INGESTION_PORT 127.0.0.1:45679 http everything',
  'CLARA_TRAINING_PORT 127.0.0.1:45680 http everything',
  'CLARA_DATASET_PORT 127.0.0.1:45681 http everything',
  'CLARA_SERVING_PORT 127.0.0.1:45682 http everything',
  `CLARA_METRICS_PORT 127.0.0.1:9310 http ${metrics}`,
];

describe('the doors', () => {
  it('of debug, development and testing speak plain HTTP', () => {
    for (const mode of ['debug', 'development', 'testing'])
      expect(shown({ CLARA_SECURITY_MODE: mode })).toEqual(plain('everything'));
    const pki = { CLARA_PKI_ENABLED: 'true', ...PASSPHRASE };
    const last = 'CLARA_PKI_PORT 127.0.0.1:8443 tls-optional pki';
    expect(shown({ CLARA_SECURITY_MODE: 'debug', ...pki })).toEqual([...plain('everything'), last]);
  });

  it('of production behind a TLS proxy do, too', () => {
    expect(shown({ CLARA_MTLS_ENABLED: 'false' })).toEqual(plain('metrics'));
  });

  it('of production speak mutual TLS, but where people, probes and Prometheus enter', () => {
    expect(shown({ CLARA_HOST: '10.1.2.3', ...PASSPHRASE })).toEqual([
      'CLARA_MAIN_PORT 10.1.2.3:45678 tls everything',
      'CLARA_INGESTION_PORT 10.1.2.3:45679 mtls everything',
      'CLARA_TRAINING_PORT 10.1.2.3:45680 mtls everything',
      'CLARA_DATASET_PORT 10.1.2.3:45681 mtls everything',
      'CLARA_SERVING_PORT 10.1.2.3:45682 mtls everything',
      'CLARA_METRICS_PORT 10.1.2.3:9310 tls-optional metrics',
      'CLARA_PROBE_PORT 127.0.0.1:45690 http probes',
      'CLARA_PKI_PORT 10.1.2.3:8443 tls-optional pki',
    ]);
  });

  it('of production may have one more for people; an outside CA needs no PKI', () => {
    const doors = shown({ CLARA_PUBLIC_PORT: '443', CLARA_PROBE_HOST: '0.0.0.0', ...FILES });
    expect(doors).toContain('CLARA_MAIN_PORT 127.0.0.1:45678 mtls everything');
    expect(doors).toContain('CLARA_METRICS_PORT 127.0.0.1:9310 http metrics');
    expect(doors.slice(6)).toEqual([
      'CLARA_PROBE_PORT 0.0.0.0:45690 http probes',
      'CLARA_PUBLIC_PORT 127.0.0.1:443 tls everything',
    ]);
  });

  it('clash only with doors that the mode has', () => {
    const clash = (env: Record<string, string>) => () => shown({ CLARA_TRAINING_PORT: '45690', ...env });
    expect(clash({})).toThrow('CLARA_TRAINING_PORT: port 45690 is the one of CLARA_PROBE_PORT already');
    expect(clash({ CLARA_MTLS_ENABLED: 'false' })).not.toThrow();
    expect(() => shown({ CLARA_PUBLIC_PORT: '45681' })).toThrow('45681 is the one of CLARA_PUBLIC_PORT already');
    expect(() => shown({ CLARA_TRAINING_PORT: '8443' })).toThrow('CLARA_PKI_PORT');
    expect(() => shown({ CLARA_TRAINING_PORT: '8443', ...FILES })).not.toThrow();
  });
});

describe('a door', () => {
  it.each([
    ['metrics', ['/', '/metrics', '/metrics?x=1', '/health'], ['/healthz', '/metrics/', '/docs', '/socket.io/']],
    ['probes', ['/healthz', '/readyz', '/readyz?verbose'], ['/', '/health', '/metrics', '/readyz/x', '/api/audit']],
    ['pki', ['/', '/health', '/api/v1/crl', '/api/v1/certificates/x'], ['/api/v1/', '/api/training/jobs', '/docs']],
  ] as [Serves, string[], string[]][])('for %s leads to %j, not to %j', (serves, inside, outside) => {
    for (const url of inside) expect([url, leadsTo({ serves }, url)]).toEqual([url, true]);
    for (const url of [...outside, 'http://x/healthz', '//metrics', '/x/../metrics', '/METRICS', '', '*'])
      expect([url, leadsTo({ serves }, url)]).toEqual([url, false]);
    for (const url of [...inside, ...outside]) expect(leadsTo({ serves: 'everything' }, url)).toBe(true);
  });
});
