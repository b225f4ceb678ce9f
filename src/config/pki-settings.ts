import { bool, port, str } from 'envalid';

export const pkiSpecs = {
  CLARA_PKI_ENABLED: bool({
    default: undefined,
    desc: 'Run the certificate authority. Unset: in production with mutual TLS, where no outside files are named.',
  }),
  CLARA_PKI_PORT: port({ default: 8443, desc: 'Port of the certificate authority.' }),
  SERVICE_CERT_PATH: str({ default: undefined, desc: 'Certificate (with its chain) of an outside CA, PEM.' }),
  SERVICE_KEY_PATH: str({ default: undefined, desc: 'Private key of that certificate, PEM.' }),
  CA_CERT_PATH: str({ default: undefined, desc: 'Certificates of the outside CA that clients are checked with, PEM.' }),
};

type Read = {
  CLARA_PKI_ENABLED: boolean | undefined;
  CLARA_PKI_PORT: number;
  SERVICE_CERT_PATH: string | undefined;
  SERVICE_KEY_PATH: string | undefined;
  CA_CERT_PATH: string | undefined;
};

const FILES = ['SERVICE_CERT_PATH', 'SERVICE_KEY_PATH', 'CA_CERT_PATH'] as const;

export function pkiProblems(read: Read): string[] {
  const missing = FILES.filter((name) => !read[name]);
  if (missing.length === 0 || missing.length === FILES.length) return [];
  return missing.map((name) => `${name}: is missing; ${FILES.join(', ')} go together`);
}

function filesOf(read: Read) {
  const { SERVICE_CERT_PATH: cert, SERVICE_KEY_PATH: key, CA_CERT_PATH: ca } = read;
  return cert && key && ca ? { cert, key, ca } : undefined;
}

/** @param mutual whether services speak mutual TLS */
export function pkiOf(read: Read, mutual: boolean) {
  const files = filesOf(read);
  return { enabled: read.CLARA_PKI_ENABLED ?? (mutual && !files), port: read.CLARA_PKI_PORT, files } as const;
}
