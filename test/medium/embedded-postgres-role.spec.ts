import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { asApplication, openDataSource } from '../../src/adapters/postgres/data-source.js';
import type { Credentials } from '../../src/adapters/postgres/embedded/credentials.js';
import { ProcessTable } from '../../src/adapters/postgres/embedded/process-table.js';
import { chooseIdentity } from '../../src/adapters/postgres/embedded/run-as.js';
import { runSingleUser } from '../../src/adapters/postgres/embedded/single-user.js';
import { openSite } from '../../src/adapters/postgres/embedded/site.js';
import { PostgresBench, postmasterPid, processesOf, query } from './embedded-postgres.harness.js';

import.meta.jest.setTimeout(120_000);

describe('the role of the application in an embedded PostgreSQL', () => {
  let bench: PostgresBench;
  beforeAll(async () => {
    bench = await PostgresBench.open();
  });
  afterAll(() => bench.close());

  const fileOf = (dataDir: string) => join(dataDir, 'cluster', 'clara.json');
  /** As the file was before there was such a role, or after a start that was killed before it was written. */
  const forgetRole = async (dataDir: string): Promise<void> => {
    const { app: _, ...old } = JSON.parse(await readFile(fileOf(dataDir), 'utf8')) as Credentials;
    await writeFile(fileOf(dataDir), JSON.stringify(old));
  };
  const made = async (name: string) => {
    const dataDir = bench.dataDir(name);
    await mkdir(dirname(dataDir), { recursive: true });
    return { dataDir, ...(await bench.start(dataDir)) };
  };

  it('is there from the start, owns nothing and has no rights beyond its own', async () => {
    const { server, connection } = await made('fresh');
    const app = asApplication(connection);
    expect(app.user).toBe('clara_app');
    expect(
      await query(
        app,
        `SELECT rolsuper, rolcreatedb, rolcreaterole, pg_has_role('pg_signal_backend', 'MEMBER') AS signals,
          pg_has_role('clara', 'MEMBER') AS owner FROM pg_roles WHERE rolname = current_user`,
      ),
    ).toEqual([{ rolsuper: false, rolcreatedb: false, rolcreaterole: false, signals: false, owner: false }]);
    await expect(query(app, 'CREATE TABLE public.mine (id int)')).rejects.toThrow('permission denied');
    await server.stop();
  });

  it('is added to a database that was made without it', async () => {
    const { dataDir, server, connection } = await made('old');
    await query(connection, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await server.stop();
    const site = await openSite(bench.options(dataDir), ProcessTable.ofThisMachine());
    const identity = await chooseIdentity(site);
    expect(await runSingleUser({ ...site, identity }, ['drop role clara_app'])).toBeUndefined();
    await forgetRole(dataDir);
    const again = await bench.start(dataDir);
    expect(again.connection.password).toBe(connection.password);
    const source = await openDataSource(again.connection);
    expect(await source.query('SELECT current_user AS user, answer FROM kept')).toEqual([
      { user: 'clara_app', answer: 42 },
    ]);
    await expect(source.query('DELETE FROM audit_rows')).rejects.toThrow('permission denied');
    await source.destroy();
    await again.server.stop();
    expect(await processesOf(dataDir)).toEqual([]);
  });

  it('is added after a start that was killed half way, also where the server was left running', async () => {
    const { dataDir, connection } = await made('left');
    const pid = await postmasterPid(dataDir);
    await forgetRole(dataDir);
    const [one, other] = await Promise.all([bench.start(dataDir), bench.start(dataDir)]);
    expect(await postmasterPid(dataDir)).not.toBe(pid);
    for (const { connection: now } of [one, other]) {
      expect(now.app?.password).not.toBe(connection.app?.password);
      expect(await query(asApplication(now), 'SELECT current_user AS user')).toEqual([{ user: 'clara_app' }]);
    }
    await Promise.all([one.server.stop(), other.server.stop()]);
    expect(await processesOf(dataDir)).toEqual([]);
  });

  it('is not forced upon a server that another application works on', async () => {
    const { dataDir, server, connection } = await made('used');
    const pid = await postmasterPid(dataDir);
    const holder = new pg.Client(connection);
    holder.on('error', () => undefined);
    await holder.connect();
    await holder.query('SELECT pg_advisory_lock(1)');
    await forgetRole(dataDir);
    const second = await bench.start(dataDir);
    expect([second.connection.app, await postmasterPid(dataDir)]).toEqual([undefined, pid]);
    await holder.end();
    await server.stop();
  });

  it('has a password that appears in no message', async () => {
    const { dataDir, server } = await made('failing');
    await server.stop();
    const site = await openSite(bench.options(dataDir), ProcessTable.ofThisMachine());
    const identity = await chooseIdentity(site);
    const trouble = await runSingleUser({ ...site, identity }, [`alter role nobody password 'not to be shown'`]);
    expect(trouble).toContain('does not exist');
    expect(trouble).not.toContain('not to be shown');
  });
});
