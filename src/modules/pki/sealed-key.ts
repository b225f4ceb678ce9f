import { createCipheriv, createDecipheriv, randomBytes, scrypt, type ScryptOptions } from 'node:crypto';

/** A private key at rest: AES-256-GCM under a key that scrypt makes of the passphrase; base64 throughout. */
export interface SealedKey {
  scrypt: { N: number; r: number; p: number; salt: string };
  iv: string;
  tag: string;
  text: string;
}

const CIPHER = 'aes-256-gcm';
const COST = { N: 2 ** 16, r: 8, p: 1 };
const MOST_MEMORY = 256 * 1024 * 1024;

const stretch = (passphrase: string, salt: Buffer, cost: ScryptOptions): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFC'), salt, 32, { ...cost, maxmem: MOST_MEMORY }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });

/** @param owner whose key it is; a sealed key opens as no other's */
export async function seal(key: Buffer, passphrase: string, owner: string): Promise<SealedKey> {
  const salt = randomBytes(16);
  const iv = randomBytes(12);
  const cipher = createCipheriv(CIPHER, await stretch(passphrase, salt, COST), iv).setAAD(Buffer.from(owner));
  const text = Buffer.concat([cipher.update(key), cipher.final()]);
  return {
    scrypt: { ...COST, salt: salt.toString('base64') },
    iv: iv.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
    text: text.toString('base64'),
  };
}

/** @throws Error where the passphrase is another, or the text was changed */
export async function unseal(sealed: SealedKey, passphrase: string, owner: string): Promise<Buffer> {
  const { salt, N, r, p } = sealed.scrypt;
  const key = await stretch(passphrase, Buffer.from(salt, 'base64'), { N, r, p });
  try {
    const decipher = createDecipheriv(CIPHER, key, Buffer.from(sealed.iv, 'base64'), { authTagLength: 16 })
      .setAAD(Buffer.from(owner))
      .setAuthTag(Buffer.from(sealed.tag, 'base64'));
    return Buffer.concat([decipher.update(Buffer.from(sealed.text, 'base64')), decipher.final()]);
  } catch {
    throw new Error(
      `CLARA_PKI_PASSPHRASE does not open the key of the ${owner} CA in this database; use the passphrase that the CA was made with`,
    );
  }
}
