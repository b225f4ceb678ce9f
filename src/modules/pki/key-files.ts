import { webcrypto } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PemConverter, PublicKey } from '@peculiar/x509';

const { subtle } = webcrypto;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };

/** A fresh P-256 key: PKCS#8 in PEM, and its public half. */
export async function makeKey(): Promise<{ pem: string; publicKey: PublicKey }> {
  const keys = await subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const pem = `${PemConverter.encode(await subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')}\n`;
  return { pem, publicKey: new PublicKey(await subtle.exportKey('spki', keys.publicKey)) };
}

/** Writes what only its owner may read; never over a file that is there. */
export async function writeFresh(folder: string, name: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, name);
  await writeFile(file, text, { mode: 0o600, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST')
      throw new Error(`${file} is there already and is not written over; name another place`);
    throw error;
  });
}
