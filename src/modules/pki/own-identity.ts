import { systemCaller } from '../security/principal.port.js';
import { X509Certificate as NodeCertificate, createPrivateKey } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../kernel/clock.js';
import { messageOf } from '../../kernel/errors.js';
import type { Log } from '../../kernel/log.js';
import type { Wakeups } from '../../kernel/wakeups.js';
import type { Authority } from './authority.js';
import type { Certificates } from './certificates.service.js';
import { FollowedIdentity } from './followed-identity.js';
import { makeKey } from './key-files.js';
import { crlPem, PKI_CHANNEL, type RevocationLists } from './revocation-lists.js';
import type { Identity } from './service-identity.port.js';

const DAY_MS = 86_400_000;
/** News comes at once; this is for news that got lost. */
const POLL_MS = 10_000;
export const OWN_SERVICE = 'clara';

export interface OwnIdentityParts {
  authority: Authority;
  certificates: Certificates;
  lists: RevocationLists;
  wakeups: Wakeups;
  clock: Clock;
  log: Log;
}

export interface OwnIdentityOptions {
  /** Folder of the key and the certificate. */
  folder: string;
  dns: readonly string[];
  ip: readonly string[];
  days: number;
  /** A new certificate is taken so many days before the end of the old one. */
  renewDays: number;
}

interface Pair {
  key: string;
  leaf: NodeCertificate;
}

/** The own certificate, from the own CA: taken, renewed with a new key, and replaced where it was revoked. */
export class OwnIdentity extends FollowedIdentity {
  readonly #ends: (() => void)[] = [];
  #pair: Pair | undefined;
  #crl: string[] = [];
  #running: Promise<void> | undefined;
  #again = false;
  #complaint = '';

  private constructor(
    private readonly parts: OwnIdentityParts,
    private readonly options: OwnIdentityOptions,
  ) {
    super();
  }

  /** Takes a certificate where there is none that goes on, and follows the CA from now on. */
  static async open(parts: OwnIdentityParts, options: OwnIdentityOptions): Promise<OwnIdentity> {
    const identity = new OwnIdentity(parts, options);
    await identity.#refresh();
    const timer = setInterval(() => void identity.check(), POLL_MS).unref();
    identity.#ends.push(
      parts.wakeups.on(PKI_CHANNEL, () => void identity.check()),
      () => clearInterval(timer),
    );
    return identity;
  }

  current(): Identity {
    const { root, intermediate } = this.parts.authority;
    const chain = intermediate.toString('pem');
    const { key, leaf } = this.#pair as Pair;
    return {
      key,
      cert: `${leaf.toString().trim()}\n${chain}\n`,
      ca: [root.toString('pem'), chain],
      crl: this.#crl,
      notAfter: new Date(leaf.validTo),
      serial: leaf.serialNumber.toLowerCase(),
    };
  }

  close(): void {
    for (const end of this.#ends.splice(0)) end();
  }

  /** Looks at once for a new CRL and at the own certificate; never throws. */
  check(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#checkAll().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #checkAll(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      await this.#refresh().catch((error: unknown) =>
        this.parts.log.warn('the own certificate and the CRL could not be looked after', { error: messageOf(error) }),
      );
    }
  }

  async #refresh(): Promise<void> {
    const { lists, certificates } = this.parts;
    await this.#refreshLists();
    const news = this.know(await certificates.revoked());
    const crl = (await lists.all()).map(crlPem);
    const hasNewCrl = crl.join('') !== this.#crl.join('');
    this.#crl = crl;
    const hasNewPair = await this.#keepPair();
    if (hasNewCrl || hasNewPair) this.tellChange();
    this.tellRevoked(news);
  }

  /** The key of the root may be kept elsewhere: its CRL is then made by hand, and everything else goes on. */
  async #refreshLists(): Promise<void> {
    const { lists, log } = this.parts;
    await lists.refresh('intermediate');
    const complaint = await lists.refresh('root').then(
      () => '',
      (error: unknown) => messageOf(error),
    );
    if (complaint && complaint !== this.#complaint)
      log.warn(
        'the CRL of the root ends soon: put its key back with "npx clara pki ca put-root-key", then run "npx clara pki crl"',
        { error: complaint },
      );
    this.#complaint = complaint;
  }

  /** @returns whether there is another pair than before */
  async #keepPair(): Promise<boolean> {
    const kept = this.#pair ?? (await this.#stored());
    const isNew = this.#pair === undefined;
    // Names change with a restart only: what was taken since has them.
    if (kept && this.#goesOn(kept.leaf) && (!isNew || this.#hasNames(kept.leaf))) {
      this.#pair = kept;
      return isNew;
    }
    this.#pair = await this.#take(kept ? 'pki.certificate.renew' : 'pki.certificate.issue');
    return true;
  }

  #goesOn(leaf: NodeCertificate): boolean {
    const { options, parts } = this;
    const intermediate = new NodeCertificate(parts.authority.intermediate.toString('pem'));
    const left = Date.parse(leaf.validTo) - parts.clock.now();
    const life = Date.parse(leaf.validTo) - Date.parse(leaf.validFrom);
    // A certificate shorter than the wait for its renewal is renewed in the last third of its life.
    const renewMs = Math.min(options.renewDays * DAY_MS, life / 3);
    return (
      left > renewMs &&
      leaf.checkIssued(intermediate) &&
      leaf.verify(intermediate.publicKey) &&
      !this.isRevoked(leaf.serialNumber)
    );
  }

  #hasNames(leaf: NodeCertificate): boolean {
    const { dns, ip } = this.options;
    return dns.every((name) => leaf.checkHost(name)) && ip.every((address) => leaf.checkIP(address));
  }

  get #file(): string {
    return join(this.options.folder, 'identity.pem');
  }

  /** Key and certificate lie in one file: there is no half of a pair. */
  async #stored(): Promise<Pair | undefined> {
    try {
      const pem = await readFile(this.#file, 'utf8');
      const leaf = new NodeCertificate(pem.slice(pem.indexOf('-----BEGIN CERTIFICATE')));
      const key = pem.slice(0, pem.indexOf('-----BEGIN CERTIFICATE'));
      return leaf.checkPrivateKey(createPrivateKey(key)) ? { key, leaf } : undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.parts.log.warn('the stored certificate cannot be read; a new one is taken', { file: this.#file });
      return undefined;
    }
  }

  async #take(action: 'pki.certificate.issue' | 'pki.certificate.renew'): Promise<Pair> {
    const { certificates, log } = this.parts;
    const { dns, ip, days, folder } = this.options;
    const { pem: key, publicKey } = await makeKey();
    const names = { serviceId: OWN_SERVICE, commonName: OWN_SERVICE, dns, ip };
    const row = await certificates.issue({ names, publicKey, days, action }, systemCaller('system'));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    await writeFile(`${this.#file}.new`, `${key}${row.pem}\n`, { mode: 0o600 });
    await rename(`${this.#file}.new`, this.#file);
    log.info('the application has a new certificate', { serial: row.serial, not_after: row.not_after.toISOString() });
    return { key, leaf: new NodeCertificate(row.pem) };
  }
}
