import { appendFile, mkdir, readFile, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedPostgres } from '../../src/adapters/postgres/embedded/embedded-postgres.js';
import { ProcessTable } from '../../src/adapters/postgres/embedded/process-table.js';
import { PostgresBench, postmasterPid, processesOf, query } from './embedded-postgres.harness.js';

import.meta.jest.setTimeout(60_000);

describe('embedded PostgreSQL', () => {
  let bench: PostgresBench;
  let dataDir: string;
  beforeAll(async () => {
    bench = await PostgresBench.open();
    dataDir = bench.dataDir('one');
  });
  afterAll(() => bench.close());

  it('makes a database with vectors, checksums and a locale that never changes', async () => {
    const { server, connection } = await bench.start(dataDir);
    await query(connection, 'create extension if not exists vector');
    const [distance] = await query(connection, `select '[1,2,3]'::vector <-> '[1,2,5]' as d`);
    expect(distance).toEqual({ d: 2 });
    const names = [
      'data_checksums',
      'fsync',
      'synchronous_commit',
      'full_page_writes',
      'server_encoding',
      'listen_addresses',
    ];
    const [settings] = await query(
      connection,
      `select ${names.map((name) => `current_setting('${name}') as ${name}`).join()}`,
    );
    expect(settings).toEqual({
      data_checksums: 'on',
      fsync: 'on',
      synchronous_commit: 'on',
      full_page_writes: 'on',
      server_encoding: 'UTF8',
      listen_addresses: '',
    });
    const [locale] = await query(
      connection,
      `select datlocprovider, datlocale from pg_database where datname = 'clara'`,
    );
    expect(locale).toEqual({ datlocprovider: 'b', datlocale: 'C.UTF-8' });
    await server.stop();
    expect(await processesOf(dataDir)).toEqual([]);
  });

  it('gives the application a role that is no superuser, and nobody else a way in', async () => {
    const { server, connection } = await bench.start(dataDir);
    expect(await query(connection, `select rolsuper from pg_roles where rolname = current_user`)).toEqual([
      { rolsuper: false },
    ]);
    await expect(query({ ...connection, password: 'guess' }, 'select 1')).rejects.toThrow('password');
    await expect(query({ ...connection, user: 'postgres', password: '' }, 'select 1')).rejects.toThrow();
    expect((await stat(connection.host)).mode & 0o777).toBe(0o700);
    expect((await stat(join(dataDir, 'cluster', 'clara.json'))).mode & 0o777).toBe(0o600);
    await server.stop();
  });

  it('keeps rows over a stop, and starts warm in a fraction of a second', async () => {
    const first = await bench.start(dataDir);
    await query(first.connection, 'create table kept as select 42 as answer');
    await first.server.stop();
    const began = performance.now();
    const second = await bench.start(dataDir);
    expect(performance.now() - began).toBeLessThan(2000);
    expect(await query(second.connection, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await second.server.stop();
  });

  it('adopts a server that runs already, and leaves it to others when released', async () => {
    const first = await bench.start(dataDir);
    const pid = await postmasterPid(dataDir);
    const second = await bench.start(dataDir);
    expect(second.connection).toEqual(first.connection);
    await second.server.release();
    expect(await postmasterPid(dataDir)).toBe(pid);
    await query(first.connection, 'select 1');
    await first.server.stop();
    await second.server.stop();
    expect(await processesOf(dataDir)).toEqual([]);
  });

  it('is made once by two that start on one empty folder', async () => {
    const empty = bench.dataDir('two');
    const both = await Promise.all([bench.start(empty), bench.start(empty)]);
    expect(both[0].connection).toEqual(both[1].connection);
    expect((await readdir(empty)).filter((name) => name.startsWith('cluster'))).toEqual(['cluster']);
    expect((await processesOf(empty)).filter((command) => command.includes(' -D '))).toHaveLength(1);
    await Promise.all(both.map(({ server }) => server.stop()));
    expect(await processesOf(empty)).toEqual([]);
  });

  it('listens on loopback where asked', async () => {
    const { server, connection } = await bench.start(dataDir, { transport: 'tcp' });
    expect(connection.host).toBe('127.0.0.1');
    expect(await query(connection, 'select inet_server_addr()::text as at')).toEqual([{ at: '127.0.0.1/32' }]);
    await server.stop();
  });

  it('uses a short folder for the socket when the data folder was moved to a long path', async () => {
    const long = bench.dataDir('x'.repeat(120));
    await rename(join(bench.dataDir('two'), '..'), join(long, '..'));
    const { server, connection } = await bench.start(long);
    expect(connection.host).toMatch(/^\/tmp\/clara-/);
    expect((await stat(connection.host)).mode & 0o777).toBe(0o700);
    await query(connection, 'select 1');
    await server.stop();
    await expect(stat(connection.host)).rejects.toThrow('ENOENT');
  });

  it('refuses a database of another version', async () => {
    const old = bench.dataDir('old');
    await mkdir(join(old, 'cluster'), { recursive: true, mode: 0o700 });
    await writeFile(join(old, 'cluster', 'PG_VERSION'), '12\n');
    await expect(bench.start(old)).rejects.toMatchObject({ problem: 'wrong_version' });
    await expect(bench.start(old)).rejects.toThrow('was made by PostgreSQL 12');
  });

  it('refuses a folder with other files, and one without programs', async () => {
    const other = bench.dataDir('other');
    await mkdir(join(other, 'cluster'), { recursive: true });
    await writeFile(join(other, 'cluster', 'thesis.txt'), 'mine');
    await expect(bench.start(other)).rejects.toMatchObject({ problem: 'not_a_database' });
    expect(await readFile(join(other, 'cluster', 'thesis.txt'), 'utf8')).toBe('mine');
    await expect(bench.start(dataDir, { binDir: '/nowhere' })).rejects.toMatchObject({ problem: 'binaries' });
  });

  it('leaves nothing behind when the start is given up', async () => {
    const enough = new AbortController();
    const table = ProcessTable.ofThisMachine();
    const find = table.find.bind(table);
    table.find = async (pid) => {
      const entry = await find(pid);
      if (entry?.command.includes(' -D ')) enough.abort(new Error('enough'));
      return entry;
    };
    const options = bench.options(dataDir, { signal: enough.signal });
    await expect(new EmbeddedPostgres(table).start(options)).rejects.toThrow('enough');
    expect(await processesOf(dataDir)).toEqual([]);
  });

  it('repeats what PostgreSQL says when it does not start', async () => {
    await appendFile(join(dataDir, 'cluster', 'postgresql.auto.conf'), "shared_buffers = 'much'\n");
    await expect(bench.start(dataDir)).rejects.toThrow('invalid value for parameter "shared_buffers"');
    expect(await processesOf(dataDir)).toEqual([]);
  });

  it('stops although it never started', async () => {
    await new EmbeddedPostgres().stop();
  });
});
