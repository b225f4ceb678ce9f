import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { messageOf } from '../../kernel/errors.js';
import { ServiceIdentity, type Identity } from './service-identity.port.js';

export interface IdentityFiles {
  cert: string;
  key: string;
  ca: string;
}

const settings = { cert: 'SERVICE_CERT_PATH', key: 'SERVICE_KEY_PATH', ca: 'CA_CERT_PATH' } as const;
type Part = keyof typeof settings;

/** The files of an outside CA, as they were at the start. */
export class FileIdentity extends ServiceIdentity {
  private constructor(private readonly identity: Identity) {
    super();
  }

  /** @throws Error naming the setting and the file that cannot be used */
  static async open(files: IdentityFiles): Promise<FileIdentity> {
    const [cert, key, ca] = await Promise.all((['cert', 'key', 'ca'] as const).map((part) => read(files, part)));
    return new FileIdentity(identityOf(files, { cert: cert ?? '', key: key ?? '', ca: ca ?? '' }));
  }

  current(): Identity {
    return this.identity;
  }

  onChange(): () => void {
    return () => undefined;
  }

  isRevoked(): boolean {
    return false;
  }

  onRevoked(): () => void {
    return () => undefined;
  }
}

const named = (files: IdentityFiles, part: Part): string => `${settings[part]}: ${files[part]}`;

const read = (files: IdentityFiles, part: Part): Promise<string> =>
  readFile(files[part], 'utf8').catch((error: unknown) => {
    throw new Error(`${named(files, part)} cannot be read: ${messageOf(error)}`);
  });

function identityOf(files: IdentityFiles, { cert, key, ca }: Record<Part, string>): Identity {
  const parse = <T>(part: Part, kind: string, work: () => T): T => {
    try {
      return work();
    } catch {
      // What OpenSSL says of a key file may quote from it.
      throw new Error(`${named(files, part)} is not ${kind} in PEM form`);
    }
  };
  const leaf = parse('cert', 'a certificate', () => new X509Certificate(cert));
  const own = parse('key', 'a private key without a passphrase', () => createPrivateKey(key));
  parse('ca', 'certificates', () => new X509Certificate(ca) && createSecureContext({ ca }));
  if (!leaf.checkPrivateKey(own))
    throw new Error(`${named(files, 'key')} is not the key of the certificate in ${named(files, 'cert')}`);
  return { key, cert, ca: [ca], crl: [], notAfter: new Date(leaf.validTo), serial: leaf.serialNumber.toLowerCase() };
}
