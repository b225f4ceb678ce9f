import { chmod, chown, lchown, readFile, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { EmbeddedPostgresLog } from './embedded-postgres.types.js';
import { EmbeddedPostgresError } from './embedded-postgres.error.js';
import type { Account, Identity } from './identity.js';
import { commandAs, namespaceAccount, parsePasswd, unprivilegedAccounts } from './identity.js';
import type { Folder, User } from './path-access.js';
import { blockedMessage, pathAccess } from './path-access.js';
import { runProgram } from './program.js';

interface RunAsQuestion {
  /** Absolute, without links. */
  dataDir: string;
  clusterDir: string;
  binDir: string;
  userNamespace: 'auto' | 'never';
  uid: number | undefined;
  log: EmbeddedPostgresLog;
}

const PROBE_MS = 10_000;

/** Decides as whom the server runs, makes the way to its folders free, and proves that its program starts there. */
export async function chooseIdentity(question: RunAsQuestion): Promise<Identity> {
  const owner = await ownerOf(question.clusterDir);
  if (question.uid !== 0) return ourselves(question, owner);
  const accounts = parsePasswd(await readFile('/etc/passwd', 'utf8').catch(() => ''));
  // A database that a normal user made stays his: root serves it in his name.
  if (owner !== undefined && owner.uid !== 0) return asUser(question, { name: `uid ${owner.uid}`, ...owner });
  const namespace = await inNamespace(question, accounts);
  if (namespace) return namespace;
  return asFirst(question, unprivilegedAccounts(accounts));
}

async function ourselves(question: RunAsQuestion, owner: User | undefined): Promise<Identity> {
  if (owner !== undefined && question.uid !== undefined && owner.uid !== question.uid)
    throw new EmbeddedPostgresError(
      'foreign_owner',
      `the database in ${question.clusterDir} belongs to uid ${owner.uid} and CLARA runs as uid ${question.uid}: ` +
        `start it as that user, or run "chown -R ${question.uid} ${question.dataDir}" as root`,
    );
  await probe({ kind: 'self' }, question);
  return { kind: 'self' };
}

/** undefined where namespaces are not allowed, or root without its privileges cannot reach the folders. */
async function inNamespace(question: RunAsQuestion, accounts: Account[]): Promise<Identity | undefined> {
  const account = namespaceAccount(accounts);
  if (question.userNamespace === 'never' || process.platform !== 'linux' || !account) return undefined;
  const identity: Identity = { kind: 'namespace', uid: account.uid, gid: account.gid };
  const folders = await foldersTo(question);
  if (pathAccess(folders, { uid: 0, gid: 0 }, 0).blocked.length > 0) return undefined;
  const failure = await probeFailure(identity, question);
  if (failure === undefined) return identity;
  question.log.info(`no user namespace for PostgreSQL (${failure}), it runs as an unprivileged user`);
  return undefined;
}

async function asFirst(question: RunAsQuestion, accounts: Account[]): Promise<Identity> {
  let problem = new EmbeddedPostgresError(
    'no_unprivileged_user',
    'PostgreSQL does not run as root, user namespaces are not allowed here, and there is neither a user "postgres" nor "nobody": start CLARA as a normal user',
  );
  for (const account of accounts) {
    try {
      return await asUser(question, account);
    } catch (error) {
      if (!(error instanceof EmbeddedPostgresError)) throw error;
      problem = error;
    }
  }
  throw problem;
}

async function asUser(question: RunAsQuestion, account: Account): Promise<Identity> {
  const { open, blocked } = pathAccess(await foldersTo(question), account, 0);
  const [first] = blocked;
  if (first) throw new EmbeddedPostgresError('blocked_folder', blockedMessage(first, account.name));
  for (const { path, mode } of open) await openFolder(path, mode, account.name);
  if (open.length > 0)
    question.log.info(
      `made traversable for PostgreSQL's user ${account.name}: ${open.map(({ path }) => path).join(', ')}`,
    );
  const identity: Identity = { kind: 'user', ...account };
  await probe(identity, question);
  return identity;
}

async function openFolder(path: string, mode: number, user: string): Promise<void> {
  try {
    await chmod(path, mode);
  } catch (error) {
    const facts = { path, ...(await stat(path)) };
    throw new EmbeddedPostgresError('blocked_folder', `${blockedMessage(facts, user)} (${String(error)})`);
  }
}

async function foldersTo({ dataDir, binDir }: RunAsQuestion): Promise<Folder[]> {
  const paths = new Set<string>();
  for (const start of [dataDir, binDir]) for (let path = start; !paths.has(path); path = dirname(path)) paths.add(path);
  const facts = [...paths].map(async (path) => ({ path, ...(await stat(path)) }));
  // The outermost first: that is the one to name.
  return (await Promise.all(facts)).toSorted((one, other) => one.path.length - other.path.length);
}

async function probe(identity: Identity, question: RunAsQuestion): Promise<void> {
  const failure = await probeFailure(identity, question);
  if (failure === undefined) return;
  const who = identity.kind === 'user' ? ` as user "${identity.name}"` : '';
  throw new EmbeddedPostgresError(
    'binaries',
    `${join(question.binDir, 'postgres')} does not start${who}: ${failure}. ` +
      'Remove its folder from the cache to have it installed again, or name a server in UDS3_POSTGRES_HOST',
  );
}

async function probeFailure(identity: Identity, { binDir, dataDir }: RunAsQuestion): Promise<string | undefined> {
  const command = commandAs(identity, join(binDir, 'postgres'), ['--version']);
  const { code, output } = await runProgram(command, { timeoutMs: PROBE_MS, cwd: dataDir });
  return code === 0 ? undefined : output.trim() || `exit code ${code}`;
}

/** The user of the database folder, undefined when there is none. */
async function ownerOf(clusterDir: string): Promise<User | undefined> {
  return stat(clusterDir).then(
    ({ uid, gid }) => ({ uid, gid }),
    () => undefined,
  );
}

/** Gives a file or folder to the user that the server runs as. */
export async function giveTo(identity: Identity, path: string): Promise<void> {
  if (identity.kind === 'user') await chown(path, identity.uid, identity.gid);
}

/** Gives a database that root made in a user namespace to the user that must serve it now. */
export async function giveTreeTo(identity: Identity, folder: string): Promise<void> {
  if (identity.kind !== 'user' || (await stat(folder)).uid === identity.uid) return;
  for (const entry of await readdir(folder, { recursive: true }))
    await lchown(join(folder, entry), identity.uid, identity.gid);
  await lchown(folder, identity.uid, identity.gid);
}
