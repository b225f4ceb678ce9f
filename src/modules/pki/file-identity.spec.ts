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
});
