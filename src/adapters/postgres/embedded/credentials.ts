import { randomBytes } from 'node:crypto';
import { link, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedPostgresError } from './embedded-postgres.error.js';
import type { Login } from './embedded-postgres.types.js';
import type { Identity } from './identity.js';
import { giveTo } from './run-as.js';

/** The roles that log in. The first owns the database and its tables and is no superuser. */
export interface Credentials extends Login {
  database: string;
  /** What the application connects as; missing in folders made before there was one. */
  app?: Login | undefined;
}

const FILE = 'clara.json';
const AGREED = 'clara-app.json';

export const freshLogin = (user: string): Login => ({ user, password: randomBytes(32).toString('base64url') });

export async function readCredentials(clusterDir: string): Promise<Credentials> {
  const file = join(clusterDir, FILE);
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new EmbeddedPostgresError(
      'not_a_database',
      `${file} is missing (${String(error)}): it holds the password of the database`,
    );
  });
  return JSON.parse(text) as Credentials;
}

/** One password for the role that is added later, whoever of two applications that start at once comes first. */
export async function agreedLogin(clusterDir: string, user: string, identity: Identity): Promise<Login> {
  const file = join(clusterDir, AGREED);
  const fresh = await freshFile(file, freshLogin(user), identity);
  // Unlike a rename this leaves the file of the other one.
  await link(fresh, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(fresh);
  await syncFolder(clusterDir);
  return JSON.parse(await readFile(file, 'utf8')) as Login;
}

async function freshFile(file: string, content: object, identity: Identity): Promise<string> {
  const fresh = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`;
  await writeFile(fresh, `${JSON.stringify(content)}\n`, { mode: 0o600, flush: true });
  await giveTo(identity, fresh);
  return fresh;
}

/** The file appears whole, or the one before stays. */
export async function writeCredentials(
  clusterDir: string,
  credentials: Credentials,
  identity: Identity,
): Promise<void> {
  const file = join(clusterDir, FILE);
  await rename(await freshFile(file, credentials, identity), file);
  await syncFolder(clusterDir);
}

export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder to sync it.
  if (process.platform === 'win32') return;
  const folder = await open(path);
  await folder.sync().finally(() => folder.close());
}
