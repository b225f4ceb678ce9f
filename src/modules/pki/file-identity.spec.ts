import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestCa } from '../../../test/fixtures/tls-certificates.js';
import { FileIdentity, type IdentityFiles } from './file-identity.js';

describe('files of an outside CA', () => {
  let folder: string;
  let files: IdentityFiles;
  let authority: TestCa;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clara-identity-'));
    authority = await TestCa.make();
    files = await authority.write(folder, await authority.issue('clara'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('are an identity', async () => {
    const pair = await authority.issue('other', { notAfter: new Date('2033-03-04T05:06:07Z') });
    const identity = (await FileIdentity.open(await authority.write(folder, pair))).current();
    expect(identity).toMatchObject({ key: pair.key, cert: pair.cert, serial: pair.serial, crl: [] });
    expect(identity.notAfter).toEqual(pair.notAfter);
  });

  it.each([
    ['cert', 'SERVICE_CERT_PATH', 'is not a certificate'],
    ['key', 'SERVICE_KEY_PATH', 'is not a private key'],
    ['ca', 'CA_CERT_PATH', 'is not certificates'],
  ] as const)('say which one is wrong: %s', async (part, setting, complaint) => {
    await writeFile(files[part], 'secret text');
    const said = await FileIdentity.open(files).catch(String);
    expect(said).toContain(`${setting}: ${files[part]} ${complaint}`);
    expect(said).not.toContain('secret text');
    await rm(files[part]);
    await expect(FileIdentity.open(files)).rejects.toThrow(`${setting}: ${files[part]} cannot be read`);
  });

  it('must fit together', async () => {
    await writeFile(files.key, (await authority.issue('other')).key);
    await expect(FileIdentity.open(files)).rejects.toThrow(
      `SERVICE_KEY_PATH: ${files.key} is not the key of the certificate in SERVICE_CERT_PATH: ${files.cert}`,
    );
  });

  describe('that change', () => {
    const lines: string[] = [];
    const log = { info: () => undefined, warn: (message: string) => void lines.push(message) };
    let identity: FileIdentity;
    let changes = 0;

    beforeEach(async () => {
      lines.length = 0;
      changes = 0;
      identity = await FileIdentity.open(files, log);
      identity.onChange(() => (changes += 1));
    });
    afterEach(() => identity.close());

    it('are taken once they fit together, and complained of once until then', async () => {
      const before = identity.current();
      const next = await authority.issue('clara');
      await writeFile(files.cert, next.cert);
      await identity.look();
      await identity.look();
      expect([identity.current(), changes]).toEqual([before, 0]);
      expect(lines).toEqual([expect.stringContaining('the last good ones stay')]);
      await writeFile(files.key, next.key.slice(0, 60));
      await identity.look();
      expect(identity.current()).toEqual(before);
      await writeFile(files.key, next.key);
      await identity.look();
      expect([identity.current().serial, changes]).toEqual([next.serial, 1]);
      await identity.look();
      expect(changes).toBe(1);
    });

    it('that end within 14 days are warned of, once each', async () => {
      const days = (count: number) => new Date(Date.now() + count * 86_400_000);
      for (const count of [13, 12, 6, 5, 60, 13]) {
        await authority.write(folder, await authority.issue('clara', { notAfter: days(count) }));
        await identity.look();
      }
      expect(lines.filter((line) => line.includes('ends soon'))).toHaveLength(5);
      lines.length = 0;
      await identity.look();
      expect(lines).toEqual([]);
    });
  });

  describe('with CRLs', () => {
    it('know what is revoked, and tell of it', async () => {
      const victim = await authority.issue('victim');
      const crl = join(folder, 'crl.pem');
      await writeFile(crl, (await authority.crl()).join('\n'));
      const identity = await FileIdentity.open({ ...files, crl });
      const heard: string[] = [];
      identity.onRevoked((serials) => heard.push(...serials));
      expect([identity.current().crl.length, identity.isRevoked(victim.serial)]).toEqual([2, false]);
      authority.revoke(victim.serial);
      await writeFile(crl, (await authority.crl()).join('\n'));
      await identity.look();
      expect([identity.isRevoked(victim.serial.toUpperCase()), heard]).toEqual([true, [victim.serial]]);
      identity.close();
    });

    it('need one of each CA', async () => {
      const crl = join(folder, 'crl.pem');
      await writeFile(crl, (await authority.crl())[0] ?? '');
      await expect(FileIdentity.open({ ...files, crl })).rejects.toThrow('has no CRL of "CN=Test Intermediate"');
      await writeFile(crl, 'nonsense');
      await expect(FileIdentity.open({ ...files, crl })).rejects.toThrow('CLARA_CRL_PATH');
    });
  });
});
