import pg from 'pg';
import { agreedLogin, readCredentials, writeCredentials, type Credentials } from './credentials.js';
import { until } from './deadline.js';
import { EmbeddedPostgresError } from './embedded-postgres.error.js';
import type { EmbeddedPostgresConnection, EmbeddedPostgresLog } from './embedded-postgres.types.js';
import type { Identity } from './identity.js';
import { roleOfApplication, runSingleUser } from './single-user.js';

interface Upgrade {
  binDir: string;
  clusterDir: string;
  identity: Identity;
  log: EmbeddedPostgresLog;
  signal?: AbortSignal | undefined;
}

export const APP_ROLE = 'clara_app';
const PATIENCE_MS = 30_000;
const POLL_MS = 200;

/** Adds the role of the application to a database that was made without one; its server must not run. */
export async function addAppRole(upgrade: Upgrade): Promise<void> {
  let trouble: string | undefined;
  const ask = async (): Promise<true | undefined> => {
    const credentials = await readCredentials(upgrade.clusterDir);
    if (credentials.app) return true;
    trouble = await add(upgrade, credentials);
    if (trouble === undefined) return true;
    // Another application may be adding it right now.
    if (!trouble.includes('lock file')) throw failed(upgrade, trouble);
    return undefined;
  };
  const done = await until(ask, { timeoutMs: PATIENCE_MS, everyMs: POLL_MS, signal: upgrade.signal });
  if (!done) throw failed(upgrade, trouble);
}

/** The password is written last: without it the next start adds the role again. */
async function add(upgrade: Upgrade, credentials: Credentials): Promise<string | undefined> {
  const app = await agreedLogin(upgrade.clusterDir, APP_ROLE, upgrade.identity);
  const trouble = await runSingleUser(upgrade, roleOfApplication(app));
  if (trouble !== undefined) return trouble;
  await writeCredentials(upgrade.clusterDir, { ...credentials, app }, upgrade.identity);
  upgrade.log.info(`added the role ${APP_ROLE} to the database in ${upgrade.clusterDir}`);
  return undefined;
}

const failed = ({ clusterDir }: Upgrade, trouble: string | undefined): EmbeddedPostgresError =>
  new EmbeddedPostgresError(
    'start_failed',
    `adding the role ${APP_ROLE} to the database in ${clusterDir} failed; is the disk full?\n${trouble ?? ''}`,
  );

/** Whether an application works on that server: it holds the lock of its data folder. */
export async function isInUse(connection: EmbeddedPostgresConnection): Promise<boolean> {
  const client = new pg.Client(connection);
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ used: boolean }>(
      `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()) AS used`,
    );
    return rows[0]?.used ?? true;
  } finally {
    await client.end().catch(() => undefined);
  }
}
