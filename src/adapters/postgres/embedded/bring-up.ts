import { join } from 'node:path';
import pg from 'pg';
import { addAppRole, isInUse } from './app-role.js';
import { checkVersion, makeCluster } from './cluster.js';
import { readCredentials, type Credentials } from './credentials.js';
import { until } from './deadline.js';
import { EmbeddedPostgresError } from './embedded-postgres.error.js';
import type { EmbeddedPostgresConnection } from './embedded-postgres.types.js';
import { settle } from './place.js';
import type { PostmasterPid } from './postmaster-pid.js';
import type { Launch, Postmaster, PostmasterState } from './postmaster.js';
import { chooseIdentity, giveTreeTo } from './run-as.js';
import type { Site } from './site.js';

export interface Running {
  connection: EmbeddedPostgresConnection;
  postmaster: Postmaster;
  /** Whether it was there already, left behind by an application that died. */
  adopted: boolean;
}

const ATTEMPTS = 3;
const POLL_MS = 10;
const CONNECT_MS = 2000;
const LOSER_MS = 5000;
// Waiting does not mend these: wrong password, role or database missing.
const FINAL_CODES = new Set(['28P01', '28000', '3D000']);

/** Adopts the server of this data folder, or starts one; returns when it has answered. */
export async function bringUp(site: Site, signal?: AbortSignal): Promise<Running> {
  let words = '';
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const state = await site.control.inspect();
    const launch = state.kind === 'alive' ? undefined : await startServer(site, state, signal);
    const running = await awaitAnswer(site, launch, signal);
    if (running && !(await isOutdated(site, running))) return running;
    // Another application may have been faster, or taken the port: once more, with a fresh look.
    words = launch ? `${launch.ended}: ${await launch.words()}` : 'it stopped while it was being adopted';
  }
  throw new EmbeddedPostgresError('start_failed', `PostgreSQL does not start in ${site.clusterDir}: ${words}`);
}

async function startServer(site: Site, state: PostmasterState, signal?: AbortSignal): Promise<Launch> {
  const identity = await chooseIdentity(site);
  await makeCluster({ ...site, identity, signal });
  await checkVersion(site);
  await site.control.clearRemains(state);
  await giveTreeTo(identity, site.clusterDir);
  await addAppRole({ ...site, identity, signal });
  await settle(site, identity);
  signal?.throwIfAborted();
  return site.control.launch(site.binDir, identity);
}

/** A server from before there was a role of the application must end, so that the next look adds it; but not under an application. */
async function isOutdated(site: Site, { connection, postmaster }: Running): Promise<boolean> {
  if (connection.app) return false;
  // Where the connection breaks, somebody else is ending it.
  const used = await isInUse(connection).catch(() => undefined);
  if (used) return false;
  const isAdded = (await readCredentials(site.clusterDir)).app !== undefined;
  if (used === false && !isAdded) await site.control.shutdown(postmaster);
  return true;
}

/** undefined when no server is left to wait for. */
async function awaitAnswer(site: Site, launch: Launch | undefined, signal?: AbortSignal): Promise<Running | undefined> {
  const credentials = await readCredentials(site.clusterDir);
  let trouble = 'it is still starting';
  const ask = async (): Promise<Running | 'ended' | undefined> => {
    const over = launch === undefined || launch.ended !== undefined;
    const state = await site.control.inspect();
    if (state.kind !== 'alive') return over ? 'ended' : undefined;
    if (state.file.status !== 'ready') return undefined;
    const answer = await connect(addresses(site, state.file), credentials);
    if (typeof answer === 'string') trouble = answer;
    else return { connection: answer, postmaster: state.postmaster, adopted: state.postmaster.pid !== launch?.pid };
    return undefined;
  };
  try {
    const answer = await until(ask, { timeoutMs: site.startTimeoutMs, everyMs: POLL_MS, signal });
    signal?.throwIfAborted();
    if (answer === undefined) throw await unreachable(site, trouble);
    if (answer === 'ended') return undefined;
    if (answer.adopted) await loserIsGone(site, launch);
    return answer;
  } catch (error) {
    await endLaunch(site, launch);
    throw error;
  }
}

async function unreachable(site: Site, trouble: string): Promise<EmbeddedPostgresError> {
  const state = await site.control.inspect();
  const pid = state.kind === 'alive' ? ` (pid ${state.postmaster.pid})` : '';
  return new EmbeddedPostgresError(
    'unreachable',
    `PostgreSQL${pid} of ${site.clusterDir} did not answer within ${site.startTimeoutMs} ms: ${trouble}; see ${join(site.dataDir, 'postgres.log')}`,
  );
}

/** Another application's server was faster; ours is refused by its lock file, and start() leaves no second process. */
async function loserIsGone(site: Site, launch: Launch | undefined): Promise<void> {
  if (launch === undefined) return;
  const ended = () => Promise.resolve(launch.ended);
  if ((await until(ended, { timeoutMs: LOSER_MS, everyMs: POLL_MS })) === undefined) await endLaunch(site, launch);
}

/** What we started and then gave up must not stay behind. */
async function endLaunch(site: Site, launch: Launch | undefined): Promise<void> {
  if (launch?.pid === undefined || launch.ended !== undefined) return;
  const entry = await site.processes.find(launch.pid);
  if (entry) await site.control.shutdown(entry);
}

function addresses(site: Site, file: PostmasterPid): { host: string; port: number }[] {
  const port = file.port ?? 0;
  if (file.socketFolder === undefined) return [{ host: '127.0.0.1', port }];
  // The second one counts when the data folder was moved under a living server.
  return [...new Set([file.socketFolder, join(site.dataDir, 'socket')])].map((host) => ({ host, port }));
}

/** The first address that lets us in, or why none does. */
async function connect(
  places: { host: string; port: number }[],
  credentials: Credentials,
): Promise<EmbeddedPostgresConnection | string> {
  let trouble = '';
  for (const place of places) {
    const connection = { ...place, ...credentials };
    const client = new pg.Client({ ...connection, connectionTimeoutMillis: CONNECT_MS });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return connection;
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (FINAL_CODES.has(code ?? ''))
        throw new EmbeddedPostgresError('unreachable', `the database refuses us: ${message}`);
      trouble = message;
      await client.end().catch(() => undefined);
    }
  }
  return trouble;
}
