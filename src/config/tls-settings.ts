import { bool, port, str } from 'envalid';
import { isLoopback, type SecurityMode } from './security-settings.js';

export const tlsSpecs = {
  CLARA_MTLS_ENABLED: bool({
    default: undefined,
    desc: 'Mutual TLS between services. Unset: in production mode only. false in production: plain HTTP behind a TLS proxy.',
  }),
  CLARA_ALLOW_PLAIN_HTTP: bool({
    default: false,
    desc: 'Let production without mutual TLS bind an address that is not loopback (only where a TLS proxy stands before it).',
  }),
  CLARA_PUBLIC_PORT: port({
    default: 45678,
    desc: 'Port for people in production: TLS without a client certificate, token needed. May be the one of the main service.',
  }),
  CLARA_PROBE_HOST: str({
    default: '127.0.0.1',
    desc: 'Address of the probe port, which serves /healthz and /readyz by plain HTTP where the service ports speak TLS.',
  }),
  CLARA_PROBE_PORT: port({ default: 45690, desc: 'Port of the probes (production with mutual TLS).' }),
};

type Read = {
  CLARA_SECURITY_MODE: SecurityMode;
  CLARA_MTLS_ENABLED: boolean | undefined;
  CLARA_ALLOW_PLAIN_HTTP: boolean;
  CLARA_PUBLIC_PORT: number;
  CLARA_PROBE_HOST: string;
  CLARA_PROBE_PORT: number;
  CLARA_MAIN_PORT: number;
  CLARA_HOST: string;
};

const mutual = (read: Read): boolean => read.CLARA_SECURITY_MODE === 'production' && (read.CLARA_MTLS_ENABLED ?? true);

export function tlsProblems(read: Read): string[] {
  const problems: string[] = [];
  const { CLARA_SECURITY_MODE: mode, CLARA_HOST: host } = read;
  if (mode !== undefined && mode !== 'production' && read.CLARA_MTLS_ENABLED)
    problems.push(`CLARA_MTLS_ENABLED: ${mode} mode has no mutual TLS; unset it, or use production mode`);
  if (mode === 'production' && !mutual(read) && host && !isLoopback(host) && !read.CLARA_ALLOW_PLAIN_HTTP)
    problems.push(
      `CLARA_HOST: "${host}" is not a loopback address, and production without mutual TLS speaks plain HTTP; ` +
        'use 127.0.0.1, or set CLARA_ALLOW_PLAIN_HTTP=true if a TLS proxy stands before it',
    );
  return problems;
}

/** Port settings that open no port of their own. */
export function closedPorts(read: Read): string[] {
  if (!mutual(read)) return ['CLARA_PUBLIC_PORT', 'CLARA_PROBE_PORT'];
  return read.CLARA_PUBLIC_PORT === read.CLARA_MAIN_PORT ? ['CLARA_PUBLIC_PORT'] : [];
}

export const tlsOf = (read: Read) =>
  ({
    mutual: mutual(read),
    publicPort: read.CLARA_PUBLIC_PORT,
    probe: { host: read.CLARA_PROBE_HOST, port: read.CLARA_PROBE_PORT },
  }) as const;
