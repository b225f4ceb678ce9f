import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { APP_ROLE } from './app-role.js';
import { freshLogin, syncFolder, writeCredentials } from './credentials.js';
import { EmbeddedPostgresError } from './embedded-postgres.error.js';
import type { EmbeddedPostgresLog } from './embedded-postgres.types.js';
import type { Identity } from './identity.js';
import { commandAs } from './identity.js';
import type { ProcessTable } from './process-table.js';
import { runProgram } from './program.js';
import { giveTo } from './run-as.js';
import { roleOfApplication, runSingleUser } from './single-user.js';

interface ClusterFolders {
  dataDir: string;
  clusterDir: string;
  binDir: string;
}

interface Making extends ClusterFolders {
  identity: Identity;
  processes: ProcessTable;
  log: EmbeddedPostgresLog;
  signal?: AbortSignal | undefined;
}

const INITDB_MS = 120_000;
const ABANDONED_MS = 10 * 60_000;

/** Makes the database when there is none, once across processes: it appears complete or not at all. */
export async function makeCluster(making: Making): Promise<void> {
  if (await isCluster(making.clusterDir)) return;
  await refuseForeignFiles(making.clusterDir);
  await removeAbandoned(making);
  const fresh = join(making.dataDir, `cluster.new-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    making.log.info(`making the database in ${making.clusterDir}`);
    await mkdir(fresh, { mode: 0o700 });
    await giveTo(making.identity, fresh);
    await initdb(making, fresh);
    await addDatabase(making, fresh);
    await moveIntoPlace(fresh, making);
  } finally {
    await rm(fresh, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function initdb(making: Making, fresh: string): Promise<void> {
  // The built-in locale is the same on every system and never changes under an index, unlike those of libc.
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const args = ['-D', fresh, '--username=postgres', '--auth=trust', ...locale, '--data-checksums'];
  const command = commandAs(making.identity, join(making.binDir, 'initdb'), args);
  const { code, output } = await runProgram(command, { timeoutMs: INITDB_MS, signal: making.signal });
  making.signal?.throwIfAborted();
  if (code !== 0) throw makingFailed(making, `initdb, code ${code}: ${output.trim()}`);
  // The superuser gets no password, so nobody logs in as it.
  await writeFile(join(fresh, 'pg_hba.conf'), 'local all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n');
  await appendFile(join(fresh, 'postgresql.conf'), "\ninclude_if_exists = 'clara.conf'\n");
}

/** In single-user mode, so that a database without its roles never appears. */
async function addDatabase(making: Making, fresh: string): Promise<void> {
  const owner = freshLogin('clara');
  const app = freshLogin(APP_ROLE);
  const statements = [
    // template1, so that every database has it: only a superuser may add it.
    'create extension vector',
    `create role clara login createdb password '${owner.password}'`,
    'grant pg_monitor, pg_signal_backend, pg_checkpoint to clara',
    'create database clara owner clara',
    ...roleOfApplication(app),
  ];
  const trouble = await runSingleUser({ ...making, clusterDir: fresh }, statements);
  if (trouble !== undefined) throw makingFailed(making, trouble);
  await writeCredentials(fresh, { ...owner, database: 'clara', app }, making.identity);
}

const makingFailed = ({ clusterDir }: ClusterFolders, trouble: string): EmbeddedPostgresError =>
  new EmbeddedPostgresError(
    'initdb_failed',
    `making the database in ${clusterDir} failed; is the disk full?\n${trouble}`,
  );

async function moveIntoPlace(fresh: string, { clusterDir, dataDir }: ClusterFolders): Promise<void> {
  try {
    await rename(fresh, clusterDir);
  } catch (error) {
    if (await isCluster(clusterDir)) return;
    throw error;
  }
  await syncFolder(dataDir);
}

async function refuseForeignFiles(clusterDir: string): Promise<void> {
  const names = await readdir(clusterDir).catch(() => []);
  if (names.length === 0) return;
  throw new EmbeddedPostgresError(
    'not_a_database',
    `${clusterDir} holds files but no PostgreSQL database: move it away, or set CLARA_DATA_DIR to another folder`,
  );
}

/** A killed initdb leaves its folder. Another application may be making one right now: only old ones and those of the dead go. */
async function removeAbandoned({ dataDir, processes }: Making): Promise<void> {
  for (const name of await readdir(dataDir)) {
    const pid = /^cluster\.new-(\d+)-/.exec(name)?.[1];
    if (pid === undefined) continue;
    const folder = join(dataDir, name);
    const age = Date.now() - (await stat(folder).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    if (age < ABANDONED_MS && processes.taken(Number(pid))) continue;
    // The initdb of a killed application may still write into it; what stays goes at the next start.
    await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
  }
}

async function isCluster(clusterDir: string): Promise<boolean> {
  return stat(join(clusterDir, 'PG_VERSION')).then(
    () => true,
    () => false,
  );
}

/** Data folders of different major versions cannot be read by each other's servers. */
export async function checkVersion({ clusterDir, binDir }: ClusterFolders): Promise<void> {
  const made = (await readFile(join(clusterDir, 'PG_VERSION'), 'utf8')).trim();
  const { output } = await runProgram({ file: join(binDir, 'postgres'), args: ['--version'] }, { timeoutMs: 10_000 });
  const ours = /\) (\d+)/.exec(output)?.[1];
  if (ours === undefined || ours === made) return;
  throw new EmbeddedPostgresError(
    'wrong_version',
    `the database in ${clusterDir} was made by PostgreSQL ${made} and this is PostgreSQL ${ours}: ` +
      `copy it with pg_dumpall of version ${made}, or set CLARA_DATA_DIR to another folder`,
  );
}
