import pg from 'pg';
import type { PostgresConnection } from '../../src/adapters/postgres/data-source.js';
import { FolderLock } from '../../src/adapters/postgres/folder-lock.js';
import { PostgresNotifications } from '../../src/adapters/postgres/notifications.js';
import { isDatabaseAway } from '../../src/kernel/transaction.js';
import { runSql, TestDatabases } from '../fixtures/test-database.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(120_000);

describe('connections of their own', () => {
  let databases: TestDatabases;
  let connection: PostgresConnection;
  const closers: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    databases = await TestDatabases.open();
    connection = await databases.create();
  });
  afterEach(async () => {
    await Promise.all(closers.splice(0).map((close) => close()));
  });
  afterAll(() => databases.close());

  const breakAll = () =>
    runSql(
      connection,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );

  describe('the lock of the data folder', () => {
    const lock = (folder: string, stolen: () => void = () => undefined): FolderLock => {
      const made = new FolderLock(connection, folder, stolen);
      closers.push(() => made.release());
      return made;
    };

    const holders = async (): Promise<unknown[]> => {
      const rows = await runSql(
        connection,
        `SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid)
          WHERE locktype = 'advisory' AND datname = current_database()`,
      );
      return (rows as { pid: number }[]).map(({ pid }) => pid);
    };

    it('has one owner, who leaves it to the next', async () => {
      const first = lock('a');
      expect(await first.take()).toBe(true);
      expect(await lock('a').take()).toBe(false);
      expect(await lock('b').take()).toBe(true);
      await first.release();
      expect(await lock('a').take()).toBe(true);
    });

    it('is taken again when the connection breaks', async () => {
      let stolen = 0;
      expect(await lock('c', () => (stolen += 1)).take()).toBe(true);
      const before = await holders();
      await breakAll();
      await eventually('it is held again', async () => (await holders()).some((pid) => !before.includes(pid)));
      expect(await lock('c').take()).toBe(false);
      expect(stolen).toBe(0);
    });

    it('tells its owner when somebody else has it after a break', async () => {
      let stolen = false;
      expect(await lock('d', () => (stolen = true)).take()).toBe(true);
      const thief = new pg.Client(connection);
      thief.on('error', () => undefined);
      await thief.connect();
      closers.push(() => thief.end());
      await thief.query(
        `SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
            WHERE locktype = 'advisory' AND datname = current_database() AND pid <> pg_backend_pid()`,
      );
      const key = new FolderLock(connection, 'd', () => undefined);
      closers.push(() => key.release());
      expect(await key.take()).toBe(true);
      await eventually('the first owner knows', () => stolen);
    });
  });

  describe('notifications', () => {
    const open = async (): Promise<PostgresNotifications> => {
      const made = new PostgresNotifications(connection, () => undefined);
      await made.open();
      closers.push(() => made.close());
      return made;
    };
    const notify = (channel: string) => runSql(connection, `SELECT pg_notify('${channel}', 'hello')`);

    it('arrive on the channel that is listened to, until that ends', async () => {
      const heard: string[] = [];
      const off = (await open()).on('one', (payload) => heard.push(payload));
      await notify('two');
      await notify('one');
      await eventually('it is heard', () => heard.length === 1);
      off();
      await notify('one');
      expect(heard).toEqual(['hello']);
    });

    it('come again after a break, which itself is told once', async () => {
      const heard: string[] = [];
      (await open()).on('three', (payload) => heard.push(payload));
      await breakAll();
      await eventually('the listener is told to look', () => heard.includes(''));
      await notify('three');
      await eventually('it is heard', () => heard.includes('hello'));
      expect(heard).toEqual(['', 'hello']);
    });

    it('are waited for with one connection at a time while the database is away', async () => {
      const heard: string[] = [];
      (await open()).on('four', (payload) => heard.push(payload));
      const admin = databases.admin;
      await runSql(admin, `ALTER DATABASE ${connection.database} ALLOW_CONNECTIONS false`);
      await runSql(
        admin,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${connection.database}'`,
      );
      await new Promise((resolve) => setTimeout(resolve, 2500));
      await runSql(admin, `ALTER DATABASE ${connection.database} ALLOW_CONNECTIONS true`);
      await eventually('it is back', () => heard.length > 0);
      await new Promise((resolve) => setTimeout(resolve, 500));
      const sessions = await runSql(
        connection,
        `SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()`,
      );
      expect(sessions).toHaveLength(1);
      expect(heard).toEqual(['']);
    });
  });

  it('that break are known as a database that is away, unlike a missing file', async () => {
    const client = new pg.Client(connection);
    client.on('error', () => undefined);
    await client.connect();
    const sleeping = client.query('SELECT pg_sleep(30)').catch((error: unknown) => error);
    await eventually(
      'it sleeps',
      async () =>
        (
          await runSql(
            connection,
            `SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)' AND state = 'active'`,
          )
        ).length > 0,
    );
    await breakAll();
    expect(isDatabaseAway(await sleeping)).toBe(true);
    const nowhere = new pg.Client({ ...connection, host: '/nowhere', port: 1 });
    expect(isDatabaseAway(await nowhere.connect().catch((error: unknown) => error))).toBe(true);
    const file = await import('node:fs/promises').then((fs) =>
      fs.readFile('/nowhere/file').catch((error: unknown) => error),
    );
    expect(isDatabaseAway(file)).toBe(false);
  });
});
