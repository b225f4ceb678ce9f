import 'reflect-metadata';
import { execFile } from 'node:child_process';
import { generateKeyPairSync, X509Certificate as NodeCertificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PublicKey } from '@peculiar/x509';
import { PostgresNotifications } from '../../src/adapters/postgres/notifications.js';
import type { PostgresConnection } from '../../src/adapters/postgres/data-source.js';
import { SystemClock } from '../../src/kernel/clock.js';
import { NoAuditTrail } from '../../src/modules/audit/audit.port.js';
import { DatabaseAuthority } from '../../src/modules/pki/authority.js';
import { Certificates } from '../../src/modules/pki/certificates.service.js';
import { OwnIdentity } from '../../src/modules/pki/own-identity.js';
import { crlPem, RevocationLists } from '../../src/modules/pki/revocation-lists.js';
import { systemCaller } from '../../src/modules/security/principal.port.js';
import { TestDatabases } from '../fixtures/test-database.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(120_000);

const run = promisify(execFile);
const PASSPHRASE = 'a passphrase of the tests';
const DAY_MS = 86_400_000;
const admin = systemCaller('admin');
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

class MovedClock extends SystemClock {
  ahead = 0;

  override now(): number {
    return super.now() + this.ahead;
  }
}

/** One application's view of the PKI of a database. */
async function pkiOn(databases: TestDatabases, connection: PostgresConnection, passphrase = PASSPHRASE) {
  const source = await databases.source(connection);
  const clock = new MovedClock();
  const audit = new NoAuditTrail();
  const options = { passphrase, url: 'https://pki.test:8443', now: () => clock.now() };
  const authority = await DatabaseAuthority.open(source, audit, options);
  const lists = new RevocationLists(source, authority, clock);
  const certificates = new Certificates(source, authority, lists, audit, clock);
  return { source, clock, authority, lists, certificates };
}

type Pki = Awaited<ReturnType<typeof pkiOn>>;

const refresh = async ({ lists }: Pki): Promise<void> => {
  for (const issuer of ['intermediate', 'root'] as const) await lists.refresh(issuer);
};

const publicKey = (): PublicKey => {
  const { publicKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return new PublicKey(key.export({ type: 'spki', format: 'der' }));
};

const issue = ({ certificates }: Pki, serviceId: string, days = 30) =>
  certificates.issue(
    {
      names: { serviceId, commonName: 'Test service', dns: [`${serviceId}.test`], ip: ['127.0.0.1', '::1'] },
      publicKey: publicKey(),
      days,
      action: 'pki.certificate.issue',
    },
    admin,
  );

describe('the certificate authority of a database', () => {
  let databases: TestDatabases;
  let connection: PostgresConnection;
  let pki: Pki;
  let folder: string;

  beforeAll(async () => {
    databases = await TestDatabases.open();
    connection = await databases.create();
    folder = await mkdtemp(join(tmpdir(), 'clara-pki-'));
    pki = await pkiOn(databases, connection);
    await refresh(pki);
  });
  afterAll(async () => {
    await databases.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** `openssl verify` with the CRLs of now. */
  async function verify(pem: string): Promise<string> {
    const { authority, lists } = pki;
    await writeFile(join(folder, 'root.pem'), authority.root.toString('pem'));
    await writeFile(join(folder, 'intermediate.pem'), authority.intermediate.toString('pem'));
    await writeFile(join(folder, 'crl.pem'), (await lists.all()).map(crlPem).join('\n'));
    await writeFile(join(folder, 'leaf.pem'), pem);
    const checks = ['-x509_strict', '-crl_check_all', '-CRLfile', join(folder, 'crl.pem')];
    const trust = ['-CAfile', join(folder, 'root.pem'), '-untrusted', join(folder, 'intermediate.pem')];
    const { stdout, stderr } = await run('openssl', ['verify', ...checks, ...trust, join(folder, 'leaf.pem')]).catch(
      (error: { stdout: string; stderr: string }) => error,
    );
    return stdout + stderr;
  }

  const openssl = async (...args: string[]): Promise<string> => (await run('openssl', args)).stdout;

  it('is made once by applications that start at once', async () => {
    const other = await databases.create();
    const all = await Promise.all([1, 2, 3, 4, 5].map(() => pkiOn(databases, other)));
    expect(new Set(all.map(({ authority }) => authority.root.serialNumber)).size).toBe(1);
    await Promise.all(all.map(refresh));
    expect(await all[0]?.source.query('SELECT issuer, number FROM pki_crls ORDER BY issuer')).toEqual([
      { issuer: 'intermediate', number: 1 },
      { issuer: 'root', number: 1 },
    ]);
  });

  it('opens with its passphrase alone, and keeps no key in the clear', async () => {
    const attempt = pkiOn(databases, connection, 'not the passphrase');
    await expect(attempt).rejects.toThrow('CLARA_PKI_PASSPHRASE does not open the key of the intermediate CA');
    const [row] = (await pki.source.query('SELECT sealed_key::text AS text FROM pki_authorities LIMIT 1')) as {
      text: string;
    }[];
    expect(Object.keys(JSON.parse(row?.text ?? '{}') as object).toSorted()).toEqual(['iv', 'scrypt', 'tag', 'text']);
    const other = await pkiOn(databases, await databases.create());
    await other.source.query(
      `UPDATE pki_authorities SET sealed_key = (SELECT sealed_key FROM pki_authorities WHERE role = 'intermediate') WHERE role = 'root'`,
    );
    // The key of one CA does not pass for that of the other.
    await expect(other.lists.sign(other.source.manager, 'root')).rejects.toThrow('the root CA');
  });

  it('issues what OpenSSL verifies strictly', async () => {
    const row = await issue(pki, 'ingestion');
    expect(await verify(row.pem)).toContain('leaf.pem: OK');
    const text = await openssl('x509', '-in', join(folder, 'leaf.pem'), '-noout', '-text');
    for (const part of [
      'Digital Signature',
      'TLS Web Server Authentication, TLS Web Client Authentication',
      'DNS:ingestion.test, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
      'URI:https://pki.test:8443/api/v1/crl',
      'OCSP - URI:https://pki.test:8443/api/v1/ocsp',
      'CA:FALSE',
    ])
      expect(text).toContain(part);
    const root = await openssl('x509', '-in', join(folder, 'root.pem'), '-noout', '-text');
    expect(root).toContain('CA:TRUE, pathlen:1');
    expect(new NodeCertificate(row.pem).fingerprint256.replaceAll(':', '').toLowerCase()).toBe(row.fingerprint);
    expect(row.serial).toMatch(/^[4-7][0-9a-f]{31}$/);
    expect(Date.now() - row.not_before.getTime()).toBeGreaterThan(290_000);
  });

  it('revokes, and says so in the CRL', async () => {
    const row = await issue(pki, 'revoked');
    await pki.certificates.revoke('revoked', 'keyCompromise', admin);
    expect(await verify(row.pem)).toContain('certificate revoked');
    const text = await openssl('crl', '-in', join(folder, 'crl.pem'), '-noout', '-text');
    expect(text).toContain('X509v3 CRL Number');
    const again = pki.certificates.revoke(row.serial, 'superseded', admin);
    await expect(again).rejects.toMatchObject({ code: 'conflict' });
    await expect(pki.certificates.revoke('nobody', 'superseded', admin)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('lifts a hold, and nothing else', async () => {
    const row = await issue(pki, 'held');
    await expect(pki.certificates.revoke('held', 'removeFromCRL', admin)).rejects.toMatchObject({ code: 'conflict' });
    await pki.certificates.revoke('held', 'certificateHold', admin);
    expect(await verify(row.pem)).toContain('certificate revoked');
    await pki.certificates.revoke('held', 'removeFromCRL', admin);
    expect(await verify(row.pem)).toContain('OK');
  });

  it('numbers CRLs without a gap, and none lacks a revocation, however many happen at once', async () => {
    const rows = await Promise.all([1, 2, 3, 4, 5, 6].map((number) => issue(pki, `crowd-${number}`)));
    const before = (await pki.lists.current('intermediate')).number;
    const other = await pkiOn(databases, connection);
    await Promise.all(
      rows.map(({ serial }, index) => (index % 2 ? pki : other).certificates.revoke(serial, 'superseded', admin)),
    );
    const list = await pki.lists.current('intermediate');
    expect(list.number).toBe(before + rows.length);
    for (const { pem } of rows) expect(await verify(pem)).toContain('certificate revoked');
  });

  it('gives no certificate a longer life than its issuer has', async () => {
    pki.clock.ahead = 3640 * DAY_MS;
    const row = await issue(pki, 'late', 365);
    pki.clock.ahead = 0;
    expect(row.not_after).toEqual(pki.authority.intermediate.notAfter);
  });

  it('refuses names that would be more than names', async () => {
    const wish = {
      names: { serviceId: 'evil', commonName: 'x,O=Other', dns: ['*.test'], ip: ['localhost'] },
      publicKey: publicKey(),
    };
    const attempt = pki.certificates.issue({ ...wish, days: 1, action: 'pki.certificate.issue' }, admin);
    await expect(attempt).rejects.toMatchObject({
      code: 'invalid',
      problems: [{ path: 'common_name' }, { path: 'san_dns' }, { path: 'san_ip' }],
    });
  });

  describe('the certificate of the application itself', () => {
    let wakeups: PostgresNotifications;
    const own = (pair = pki, dns = ['localhost']) =>
      OwnIdentity.open(
        { ...pair, wakeups, log: quiet },
        { folder: join(folder, 'own'), dns, ip: ['127.0.0.1'], days: 90, renewDays: 30 },
      );

    beforeAll(async () => {
      wakeups = new PostgresNotifications(connection, () => undefined);
      await wakeups.open();
    });
    afterAll(() => wakeups.close());

    it('is kept over a restart, and its key is for the owner alone', async () => {
      const first = await own();
      const { serial, cert } = first.current();
      expect(await verify(cert)).toContain('OK');
      expect((await stat(join(folder, 'own', 'identity.pem'))).mode & 0o777).toBe(0o600);
      expect((await stat(join(folder, 'own'))).mode & 0o777).toBe(0o700);
      first.close();
      const second = await own();
      expect(second.current().serial).toBe(serial);
      second.close();
      const renamed = await own(pki, ['localhost', 'clara.test']);
      expect(renamed.current().serial).not.toBe(serial);
      renamed.close();
    });

    it('is renewed with another key before it ends', async () => {
      const identity = await own();
      const before = identity.current();
      let changes = 0;
      identity.onChange(() => (changes += 1));
      pki.clock.ahead = 59 * DAY_MS;
      await identity.check();
      expect(identity.current().serial).toBe(before.serial);
      pki.clock.ahead = 61 * DAY_MS;
      await identity.check();
      const after = identity.current();
      expect([after.serial === before.serial, after.key === before.key]).toEqual([false, false]);
      expect(changes).toBeGreaterThan(0);
      expect(await readFile(join(folder, 'own', 'identity.pem'), 'utf8')).toContain(after.key);
      pki.clock.ahead = 0;
      identity.close();
    });

    it('hears of what another application revokes', async () => {
      const identity = await own();
      const other = await pkiOn(databases, connection);
      const row = await issue(other, 'heard');
      const heard: string[] = [];
      identity.onRevoked((serials) => heard.push(...serials));
      await other.certificates.revoke('heard', 'keyCompromise', admin);
      await eventually('the news', () => heard.includes(row.serial), 5000);
      expect(identity.isRevoked(row.serial.toUpperCase())).toBe(true);
      identity.close();
    });

    it('that is revoked is replaced at once', async () => {
      const identity = await own();
      const { serial } = identity.current();
      await pki.certificates.revoke(serial, 'keyCompromise', admin);
      await eventually('another certificate', () => identity.current().serial !== serial, 5000);
      identity.close();
    });
  });
});
