import { createPublicKey, type KeyObject } from 'node:crypto';
import { Pkcs10CertificateRequest, type PublicKey } from '@peculiar/x509';
import { AppError } from '../../kernel/errors.js';

const LONGEST_PEM = 16_384;
const SHORTEST_RSA = 2048;
const LONGEST_RSA = 8192;
const curves = ['prime256v1', 'secp384r1', 'secp521r1'];

/**
 * The public key of a request whose sender has the private one. Names and extensions of it count for nothing.
 * @throws AppError saying what is wrong with it
 */
export async function publicKeyOf(csr: string): Promise<PublicKey> {
  const request = parse(csr);
  const key = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' });
  const weakness = weaknessOf(key);
  if (weakness) throw invalid(weakness);
  const isProved = await request.verify().catch(() => false);
  if (!isProved) throw invalid('its signature was not made with the private key that belongs to its public key');
  return request.publicKey;
}

function parse(csr: string): Pkcs10CertificateRequest {
  try {
    if (csr.length > LONGEST_PEM || !/^\s*-----BEGIN (NEW )?CERTIFICATE REQUEST-----/.test(csr))
      throw new Error('no PEM');
    const request = new Pkcs10CertificateRequest(csr);
    createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' });
    return request;
  } catch {
    throw invalid('is not a PKCS#10 request in PEM form (-----BEGIN CERTIFICATE REQUEST-----)');
  }
}

/** What is too weak about a key; undefined where nothing is. */
export function weaknessOf(key: KeyObject): string | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key;
  const { modulusLength: bits = 0, namedCurve = '' } = details;
  if (type === 'ed25519') return undefined;
  if (type === 'ec')
    return curves.includes(namedCurve) ? undefined : `its curve ${namedCurve} is not P-256, P-384 or P-521`;
  if (type !== 'rsa') return `its key is of type ${type ?? 'unknown'}; RSA, EC and Ed25519 are taken`;
  return bits >= SHORTEST_RSA && bits <= LONGEST_RSA
    ? undefined
    : `its RSA key has ${bits} bits; ${SHORTEST_RSA} to ${LONGEST_RSA} are taken`;
}

function invalid(why: string): AppError {
  const message = `csr: ${why}`;
  return new AppError('invalid', message, [{ path: 'csr', message }]);
}
