import { newSerial, validity } from './certificate-profile.js';
import { isDue } from './revocation-lists.js';
import { seal, unseal } from './sealed-key.js';

const DAY_MS = 86_400_000;
const NOW = Date.parse('2030-01-01T00:00:00Z');

describe('certificates', () => {
  it('begin five minutes ago, and end when asked', () => {
    expect(validity(NOW, 10)).toEqual({ notBefore: new Date(NOW - 300_000), notAfter: new Date(NOW + 10 * DAY_MS) });
  });

  it('end with their issuer', () => {
    const latest = new Date(NOW + 5 * DAY_MS);
    expect(validity(NOW, 10, latest).notAfter).toEqual(latest);
    expect(validity(NOW, 3, latest).notAfter).toEqual(new Date(NOW + 3 * DAY_MS));
  });

  it('have serial numbers that everybody writes alike', () => {
    const serials = Array.from({ length: 1000 }, newSerial);
    expect(serials.filter((serial) => !/^[4-7][0-9a-f]{31}$/.test(serial))).toEqual([]);
    expect(new Set(serials).size).toBe(1000);
  });

  it.each([
    ['intermediate', 3.1, false],
    ['intermediate', 2.9, true],
    ['intermediate', -1, true],
    ['root', 91, false],
    ['root', 89, true],
  ] as const)('%s CRLs that last %d days are due: %p', (issuer, days, due) => {
    expect(isDue(issuer, new Date(NOW + days * DAY_MS), NOW)).toBe(due);
  });
});

describe('a key at rest', () => {
  const key = Buffer.from('the bytes of a key');

  it('opens with the passphrase and as the key it is', async () => {
    const sealed = await seal(key, 'passphrase', 'root');
    expect(JSON.stringify(sealed)).not.toContain(key.toString('base64'));
    await expect(unseal(sealed, 'passphrase', 'root')).resolves.toEqual(key);
    await expect(unseal(sealed, 'passphrase', 'intermediate')).rejects.toThrow('CLARA_PKI_PASSPHRASE');
    await expect(unseal(sealed, 'other', 'root')).rejects.toThrow('does not open the key of the root CA');
    const text = Buffer.from(sealed.text, 'base64');
    text.writeUInt8(text.readUInt8(0) ^ 1, 0);
    await expect(unseal({ ...sealed, text: text.toString('base64') }, 'passphrase', 'root')).rejects.toThrow();
  });

  it('is never sealed the same way twice', async () => {
    const [one, two] = [await seal(key, 'passphrase', 'root'), await seal(key, 'passphrase', 'root')];
    expect([one.iv === two.iv, one.scrypt.salt === two.scrypt.salt, one.text === two.text]).toEqual([
      false,
      false,
      false,
    ]);
  });
});
