import { hostname } from 'node:os';
import { isIP } from 'node:net';
import { bool, port, str } from 'envalid';
import { httpUrl, list, secret, whole } from './setting-kinds.js';

export const pkiSpecs = {
  CLARA_PKI_ENABLED: bool({
    default: undefined,
    desc: 'Run the certificate authority. Unset: in production with mutual TLS, where no outside files are named.',
  }),
  CLARA_PKI_PORT: port({ default: 8443, desc: 'Port of the certificate authority.' }),
  CLARA_PKI_PASSPHRASE: secret({
    default: undefined,
    desc: 'Opens the keys of the CA in the database (secret, at least 16 characters; `openssl rand -base64 32` makes one).',
  }),
  VCC_INTERMEDIATE_CA_PASSWORD: secret({
    default: undefined,
    desc: 'The name that CLARA_PKI_PASSPHRASE had in the original (secret).',
  }),
  CLARA_PKI_URL: httpUrl({
    default: undefined,
    desc: 'Where others reach the CA; stands in certificates for CRL and OCSP. Unset: https, this host, CLARA_PKI_PORT.',
  }),
  CLARA_CERT_SANS: list({
    default: [],
    desc: 'Names and addresses in the own certificate, besides localhost, 127.0.0.1, ::1 and the host name.',
  }),
  CLARA_CERT_DAYS: whole(1, 730)({ default: 90, desc: 'Days that a certificate of the application itself is valid.' }),
  CLARA_CERT_RENEW_DAYS: whole(1, 365)({ default: 30, desc: 'Days before its end at which it takes a new one.' }),
  CLARA_CERT_MAX_DAYS: whole(1, 730)({ default: 365, desc: 'Longest validity that a service gets.' }),
  SERVICE_CERT_PATH: str({ default: undefined, desc: 'Certificate (with its chain) of an outside CA, PEM.' }),
  SERVICE_KEY_PATH: str({ default: undefined, desc: 'Private key of that certificate, PEM.' }),
  CA_CERT_PATH: str({ default: undefined, desc: 'Certificates of the outside CA that clients are checked with, PEM.' }),
  CLARA_CRL_PATH: str({
    default: undefined,
    desc: 'CRLs of the outside CA, PEM, one of each CA in CA_CERT_PATH. Unset: nothing is taken as revoked.',
  }),
};

type Read = {
  CLARA_PKI_ENABLED: boolean | undefined;
  CLARA_PKI_PORT: number;
  CLARA_PKI_PASSPHRASE: string | undefined;
  VCC_INTERMEDIATE_CA_PASSWORD: string | undefined;
  CLARA_PKI_URL: string | undefined;
  CLARA_CERT_SANS: string[];
  CLARA_CERT_DAYS: number;
  CLARA_CERT_RENEW_DAYS: number;
  CLARA_CERT_MAX_DAYS: number;
  SERVICE_CERT_PATH: string | undefined;
  SERVICE_KEY_PATH: string | undefined;
  CA_CERT_PATH: string | undefined;
  CLARA_CRL_PATH: string | undefined;
};

const FILES = ['SERVICE_CERT_PATH', 'SERVICE_KEY_PATH', 'CA_CERT_PATH'] as const;

const NO_CERTIFICATE =
  'CLARA_PKI_ENABLED: is false, and mutual TLS needs a certificate: name the files of your CA in ' +
  'SERVICE_CERT_PATH, SERVICE_KEY_PATH and CA_CERT_PATH';
const SHORTEST_PASSPHRASE = 16;
const DNS_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

/** @param mutual whether services speak mutual TLS */
export function pkiProblems(read: Read, mutual: boolean): string[] {
  const isBare = mutual && !isEnabled(read, mutual) && !filesOf(read);
  return [
    ...(isBare ? [NO_CERTIFICATE] : []),
    ...fileProblems(read),
    ...passphraseProblems(read, mutual),
    ...certificateProblems(read),
  ];
}

function fileProblems(read: Read): string[] {
  const missing = FILES.filter((name) => !read[name]);
  if (missing.length === FILES.length && read.CLARA_CRL_PATH)
    return [`CLARA_CRL_PATH: is of no use without ${FILES.join(', ')}`];
  if (missing.length === 0 || missing.length === FILES.length) return [];
  return missing.map((name) => `${name}: is missing; ${FILES.join(', ')} go together`);
}

function passphraseProblems(read: Read, mutual: boolean): string[] {
  // Files that lack one of three are a problem of their own, and most likely meant to stand in for the CA.
  if (!isEnabled(read, mutual) || fileProblems(read).length > 0) return [];
  const passphrase = passphraseOf(read);
  if (!passphrase)
    return [
      'CLARA_PKI_PASSPHRASE: is missing; the keys of the certificate authority are encrypted with it. Make one with ' +
        '"openssl rand -base64 32" and keep it: without it the CA is lost. Or name the files of an outside CA',
    ];
  if (passphrase.length >= SHORTEST_PASSPHRASE) return [];
  return [`CLARA_PKI_PASSPHRASE: has ${passphrase.length} characters; it needs ${SHORTEST_PASSPHRASE} or more`];
}

function certificateProblems(read: Read): string[] {
  const wrong = (read.CLARA_CERT_SANS ?? []).filter((name) => isIP(name) === 0 && !DNS_NAME.test(name));
  const problems = wrong.map(
    (name) => `CLARA_CERT_SANS: "${name}" is neither a DNS name in lower case nor an IP address`,
  );
  if (read.CLARA_CERT_RENEW_DAYS >= read.CLARA_CERT_DAYS)
    problems.push(
      `CLARA_CERT_RENEW_DAYS: ${read.CLARA_CERT_RENEW_DAYS} is not less than CLARA_CERT_DAYS (${read.CLARA_CERT_DAYS})`,
    );
  return problems;
}

const passphraseOf = (read: Read): string => read.CLARA_PKI_PASSPHRASE ?? read.VCC_INTERMEDIATE_CA_PASSWORD ?? '';

/** @param mutual whether services speak mutual TLS */
export function isEnabled(read: Read, mutual: boolean): boolean {
  return read.CLARA_PKI_ENABLED ?? (mutual && !filesOf(read));
}

function filesOf(read: Read) {
  const { SERVICE_CERT_PATH: cert, SERVICE_KEY_PATH: key, CA_CERT_PATH: ca, CLARA_CRL_PATH: crl } = read;
  return cert && key && ca ? { cert, key, ca, crl } : undefined;
}

/** The names that the own certificate has in any case, and those of the setting. */
function ownNames(read: Read) {
  const host = hostname().toLowerCase();
  const names = [
    ...new Set(['localhost', ...(DNS_NAME.test(host) ? [host] : []), '127.0.0.1', '::1', ...read.CLARA_CERT_SANS]),
  ];
  return { dns: names.filter((name) => isIP(name) === 0), ip: names.filter((name) => isIP(name) > 0) };
}

/** @param mutual whether services speak mutual TLS */
export function pkiOf(read: Read, mutual: boolean) {
  return {
    enabled: isEnabled(read, mutual),
    port: read.CLARA_PKI_PORT,
    files: filesOf(read),
    passphrase: passphraseOf(read),
    url: read.CLARA_PKI_URL ?? `https://${hostname().toLowerCase()}:${read.CLARA_PKI_PORT}`,
    certificate: {
      ...ownNames(read),
      days: read.CLARA_CERT_DAYS,
      renewDays: read.CLARA_CERT_RENEW_DAYS,
      maxDays: read.CLARA_CERT_MAX_DAYS,
    },
  } as const;
}
