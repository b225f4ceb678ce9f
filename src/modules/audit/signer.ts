import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** What is signed: that the chain had this hash at this link at this time. */
export interface Seal {
  seq: number;
  /** 64 hexadecimal digits. */
  hash: string;
  /** ISO 8601 in UTC with milliseconds. */
  time: string;
}
export interface SignedSeal extends Seal {
  /** Public Ed25519 key, SPKI in DER as base64. */
  key: string;
  signature: string;
}
type Kind = 'head' | 'checkpoint';

const textOf = (kind: Kind, seal: Seal): Buffer =>
  Buffer.from(`clara audit ${kind}\n${seal.seq}\n${seal.hash}\n${seal.time}`);

/** The keys of this installation: one signs heads, the other makes the lookups of subjects. */
export class AuditKeys {
  private constructor(
    private readonly signing: KeyObject,
    private readonly lookups: Buffer,
  ) {}

  /** Reads the keys of the folder, made at the first call; only the owner of the folder can read them. */
  static async open(folder: string): Promise<AuditKeys> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const pem = await onceMade(join(folder, 'signing.key'), () => {
      const { privateKey } = generateKeyPairSync('ed25519');
      return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    });
    const lookups = await onceMade(join(folder, 'subjects.key'), () => randomBytes(32).toString('base64'));
    return new AuditKeys(createPrivateKey(pem), Buffer.from(lookups, 'base64'));
  }

  get publicKey(): string {
    return createPublicKey(this.signing).export({ type: 'spki', format: 'der' }).toString('base64');
  }

  seal(kind: Kind, seal: Seal): SignedSeal {
    return { ...seal, key: this.publicKey, signature: sign(null, textOf(kind, seal), this.signing).toString('base64') };
  }

  lookup(subject: string): Buffer {
    return createHmac('sha256', this.lookups).update(subject).digest();
  }
}

export function isSealed(kind: Kind, seal: SignedSeal): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(seal.key, 'base64'), type: 'spki', format: 'der' });
    return verify(null, textOf(kind, seal), key, Buffer.from(seal.signature, 'base64'));
  } catch {
    return false;
  }
}

/** Short enough to compare by eye. */
export const fingerprint = (key: string): string => createHash('sha256').update(key).digest('hex').slice(0, 16);

/** The text of a file that appears whole or not at all, and once, whoever else makes it at the same time. */
async function onceMade(path: string, make: () => string): Promise<string> {
  const known = await readFile(path, 'utf8').catch(ifMissing);
  if (known !== undefined) return known;
  const fresh = `${path}.${randomBytes(4).toString('hex')}`;
  const file = await open(fresh, 'wx', 0o600);
  try {
    await file.writeFile(make());
    await file.sync();
    await link(fresh, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await file.close();
    await rm(fresh, { force: true });
  }
  return readFile(path, 'utf8');
}

export function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
