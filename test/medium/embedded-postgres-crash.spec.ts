import { spawn } from 'node:child_process';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { EmbeddedPostgresConnection } from '../../src/adapters/postgres/embedded/embedded-postgres.types.js';
import type { EmbeddedPostgres } from '../../src/adapters/postgres/embedded/embedded-postgres.js';
import {
  PostgresBench,
  buildAdapter,
  postmasterPid,
  processesOf,
  query,
  startOwner,
  waitFor,
} from './embedded-postgres.harness.js';

/** Inserts one row after the other until the connection breaks; the number of those that were acknowledged. */
async function insertUntilBroken(connection: EmbeddedPostgresConnection): Promise<number> {
  const client = new pg.Client(connection);
  client.on('error', () => undefined);
  await client.connect();
  let acknowledged = 0;
  try {
    for (;;) {
      await client.query('insert into rows values ($1)', [acknowledged]);
      acknowledged += 1;
    }
  } catch {
    return acknowledged;
  }
}

function watched(server: EmbeddedPostgres): { said: string[] } {
  const said: string[] = [];
  server.watch({ onDown: () => said.push('down'), onUp: () => said.push('up') });
  return { said };
}

import.meta.jest.setTimeout(60_000);

describe('embedded PostgreSQL after a crash', () => {
  let bench: PostgresBench;
  let dataDir: string;
  let program: string;
  beforeAll(async () => {
    bench = await PostgresBench.open();
    dataDir = bench.dataDir('one');
    program = await buildAdapter(join(bench.folder, 'adapter'));
  });
  afterAll(() => bench.close());

  it('is started again after kill -9, with every acknowledged row', async () => {
    const { server, connection } = await bench.start(dataDir);
    const { said } = watched(server);
    await query(connection, 'create table rows (n int)');
    for (const outage of [1, 2]) {
      const before = Number((await query<{ n: string }>(connection, 'select count(*) as n from rows'))[0]?.n);
      const inserting = insertUntilBroken(connection);
      await new Promise((done) => setTimeout(done, 200));
      process.kill(await postmasterPid(dataDir), 'SIGKILL');
      const acknowledged = await inserting;
      await waitFor('the restart', async () => said.length === 2 * outage);
      const [after] = await query<{ n: string }>(connection, 'select count(*) as n from rows');
      expect(acknowledged).toBeGreaterThan(10);
      expect(Number(after?.n)).toBeGreaterThanOrEqual(before + acknowledged);
    }
    expect(said).toEqual(['down', 'up', 'down', 'up']);
    await server.stop();
    expect(await processesOf(dataDir)).toEqual([]);
  });

  it('ends backends that did not notice the death of their server', async () => {
    const { server, connection } = await bench.start(dataDir);
    const { said } = watched(server);
    const busy = query(connection, 'do $$ begin loop end loop; end $$').catch(() => 'broken');
    await waitFor('the busy backend', async () =>
      (await processesOf(dataDir)).some((command) => command.endsWith(' DO')),
    );
    process.kill(await postmasterPid(dataDir), 'SIGKILL');
    await waitFor('the restart', async () => said.includes('up'));
    expect(await busy).toBe('broken');
    expect((await processesOf(dataDir)).filter((command) => command.endsWith(' DO'))).toEqual([]);
    await query(connection, 'select 1');
    await server.stop();
  });

  it('outlives its application, and the next one adopts it', async () => {
    const owner = startOwner(program, { ...bench.options(dataDir) });
    const { connection } = await owner.line;
    const pid = await postmasterPid(dataDir);
    await owner.kill();
    const next = await bench.start(dataDir);
    expect(await postmasterPid(dataDir)).toBe(pid);
    expect(next.connection).toEqual(connection);
    const { said } = watched(next.server);
    process.kill(pid, 'SIGKILL');
    await waitFor('the restart of an adopted server', async () => said.includes('up'));
    await query(next.connection, 'select 1');
    await next.server.stop();
    expect(await processesOf(dataDir)).toEqual([]);
  });

  it('is found again when its data folder was moved while it ran', async () => {
    const owner = startOwner(program, { ...bench.options(dataDir) });
    await owner.line;
    const pid = await postmasterPid(dataDir);
    await owner.kill();
    const moved = bench.dataDir('moved');
    await rename(join(dataDir, '..'), join(moved, '..'));
    const next = await bench.start(moved);
    expect(await postmasterPid(moved)).toBe(pid);
    await query(next.connection, 'select 1');
    await next.server.stop();
    await rename(join(moved, '..'), join(dataDir, '..'));
  });

  it('starts over when its application was killed while it made the database', async () => {
    const half = bench.dataDir('half');
    const owner = startOwner(program, { ...bench.options(half) });
    const files = async () => readdir(half).catch((): string[] => []);
    await waitFor('initdb', async () => (await files()).some((name) => name.startsWith('cluster.new-')));
    await owner.kill();
    expect(await files()).not.toContain('cluster');
    const { server, connection } = await bench.start(half);
    await query(connection, 'select 1');
    await server.stop();
  });

  it('is not fooled by a pid file that names another process', async () => {
    const first = await bench.start(dataDir);
    await first.server.stop();
    await writeFile(join(dataDir, 'cluster', 'postmaster.pid'), `${process.pid}\n${dataDir}/cluster\n1\n5432\n`);
    const second = await bench.start(dataDir);
    await query(second.connection, 'select 1');
    await second.server.stop();
  });

  it('is not stopped by the socket lock of another process', async () => {
    const first = await bench.start(dataDir);
    const socket = join(dataDir, 'socket');
    await first.server.stop();
    await mkdir(socket, { recursive: true, mode: 0o700 });
    const other = spawn('sleep', ['600'], { stdio: 'ignore' });
    try {
      await writeFile(join(socket, '.s.PGSQL.5432.lock'), `${other.pid}\n${dataDir}/cluster\n1\n5432\n${socket}\n`);
      const { server, connection } = await bench.start(dataDir);
      await query(connection, 'select 1');
      await server.stop();
    } finally {
      other.kill();
    }
  });

  it('waits for a server that is stopping, then starts a new one', async () => {
    const first = await bench.start(dataDir);
    const pid = await postmasterPid(dataDir);
    const holder = new pg.Client(first.connection);
    holder.on('error', () => undefined);
    await holder.connect();
    // Smart shutdown: it refuses newcomers and waits for this client.
    process.kill(pid, 'SIGTERM');
    setTimeout(() => void holder.end(), 300);
    const second = await bench.start(dataDir);
    expect(await postmasterPid(dataDir)).not.toBe(pid);
    await query(second.connection, 'select 1');
    await second.server.stop();
  });

  it('does not start again what is being stopped', async () => {
    const { server } = await bench.start(dataDir);
    const { said } = watched(server);
    await server.stop();
    await new Promise((done) => setTimeout(done, 500));
    expect(said).toEqual([]);
    expect(await processesOf(dataDir)).toEqual([]);
  });
});
