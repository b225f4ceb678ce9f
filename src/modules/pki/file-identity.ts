import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { X509Crl } from '@peculiar/x509';
import { messageOf } from '../../kernel/errors.js';
import type { Log } from '../../kernel/log.js';
import { FollowedIdentity } from './followed-identity.js';
import { certificatesIn, crlsIn } from './pem-blocks.js';
import type { Identity } from './service-identity.port.js';

export interface IdentityFiles {
  cert: string;
  key: string;
  ca: string;
  /** CRLs of those CAs, PEM. */
  crl?: string | undefined;
}

const settings = {
  cert: 'SERVICE_CERT_PATH',
  key: 'SERVICE_KEY_PATH',
  ca: 'CA_CERT_PATH',
  crl: 'CLARA_CRL_PATH',
} as const;
type Part = keyof typeof settings;
type Texts = Record<Part, string>;

/** Polled, not watched: file systems of containers and networks tell nothing of changes. */
const LOOK_MS = 10_000;
const DAY_MS = 86_400_000;
const WARN_DAYS = [14, 7];

/** The files of an outside CA; new ones are taken as soon as they fit together, until then the old ones stay. */
export class FileIdentity extends FollowedIdentity {
  #timer: NodeJS.Timeout | undefined;
  #complaint = '';
  #warned = Infinity;

  private constructor(
    private readonly files: IdentityFiles,
    private identity: Identity,
    private readonly log: Pick<Log, 'info' | 'warn'> | undefined,
  ) {
    super();
    this.know(revokedIn(identity));
  }

  /** @throws Error naming the setting and the file that cannot be used */
  static async open(files: IdentityFiles, log?: Pick<Log, 'info' | 'warn'>): Promise<FileIdentity> {
    const identity = new FileIdentity(files, await load(files), log);
    identity.#warnOfEnd();
    identity.#timer = setInterval(() => void identity.look(), LOOK_MS).unref();
    return identity;
  }

  current(): Identity {
    return this.identity;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Takes what has changed; never throws. */
  async look(): Promise<void> {
    try {
      const next = await load(this.files);
      this.#complaint = '';
      if (JSON.stringify(next) !== JSON.stringify(this.identity)) this.#take(next);
    } catch (error) {
      const complaint = messageOf(error);
      // Once, not every ten seconds.
      if (complaint !== this.#complaint)
        this.log?.warn('the new files of the certificate cannot be used; the last good ones stay', {
          error: complaint,
        });
      this.#complaint = complaint;
    }
    this.#warnOfEnd();
  }

  #take(next: Identity): void {
    if (next.serial !== this.identity.serial) this.#warned = Infinity;
    this.identity = next;
    const news = this.know(revokedIn(next));
    this.tellChange();
    this.tellRevoked(news);
  }

  /** Once at each threshold: nobody but its owner renews this certificate. */
  #warnOfEnd(): void {
    const days = (this.identity.notAfter.getTime() - Date.now()) / DAY_MS;
    const threshold = WARN_DAYS.findLast((each) => days < each);
    if (threshold === undefined || threshold >= this.#warned) return;
    this.#warned = threshold;
    this.log?.warn('the certificate ends soon; put a new one into SERVICE_CERT_PATH', {
      serial: this.identity.serial,
      not_after: this.identity.notAfter.toISOString(),
    });
  }
}

const named = (files: IdentityFiles, part: Part): string => `${settings[part]}: ${files[part]}`;

const read = async (files: IdentityFiles, part: Part): Promise<string> => {
  const file = files[part];
  if (!file) return '';
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new Error(`${named(files, part)} cannot be read: ${messageOf(error)}`);
  });
};

async function load(files: IdentityFiles): Promise<Identity> {
  const [cert, key, ca, crl] = await Promise.all([
    read(files, 'cert'),
    read(files, 'key'),
    read(files, 'ca'),
    read(files, 'crl'),
  ]);
  return identityOf(files, { cert, key, ca, crl });
}

function identityOf(files: IdentityFiles, { cert, key, ca, crl }: Texts): Identity {
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
  parse('ca', 'certificates', () => [new X509Certificate(ca), createSecureContext({ ca })]);
  if (!leaf.checkPrivateKey(own))
    throw new Error(`${named(files, 'key')} is not the key of the certificate in ${named(files, 'cert')}`);
  const crls = files.crl ? parse('crl', 'CRLs (-----BEGIN X509 CRL-----)', () => checkedCrls(crl)) : [];
  if (crls.length > 0) mustCoverAll(files, ca, crls);
  return { key, cert, ca: [ca], crl: crls, notAfter: new Date(leaf.validTo), serial: leaf.serialNumber.toLowerCase() };
}

function checkedCrls(text: string): string[] {
  const crls = crlsIn(text);
  if (crls.length === 0) throw new Error('none');
  for (const crl of crls) createSecureContext({ crl: [crl] });
  return crls;
}

/** OpenSSL refuses every certificate of a CA whose CRL is missing or has ended: better keep the last good ones. */
function mustCoverAll(files: IdentityFiles, ca: string, crls: readonly string[]): void {
  const lists = crls.map((crl) => new X509Crl(crl));
  const ended = lists.find(({ nextUpdate }) => nextUpdate && nextUpdate.getTime() <= Date.now());
  if (ended) throw new Error(`${named(files, 'crl')} has a CRL that ended at ${ended.nextUpdate?.toISOString() ?? ''}`);
  const missing = certificatesIn(ca).find(({ subject }) => !lists.some(({ issuer }) => issuer === subject));
  if (missing)
    throw new Error(`${named(files, 'crl')} has no CRL of "${missing.subject}"; each CA in CA_CERT_PATH needs one`);
}

const revokedIn = ({ crl }: Identity): Set<string> =>
  new Set(crl.flatMap((text) => new X509Crl(text).entries.map(({ serialNumber }) => serialNumber.toLowerCase())));
