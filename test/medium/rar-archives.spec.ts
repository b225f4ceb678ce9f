import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Archives } from '../../src/adapters/parsers/archives.js';
import { documentFixture } from '../fixtures/document-files.js';

import.meta.jest.setTimeout(60_000);

const root = fileURLToPath(new URL('../..', import.meta.url));
const MEGABYTE = 1_048_576;
const never = new AbortController().signal;

describe('RAR archives, unpacked in a process', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clara-rar-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function put(content: Buffer, filename: string): Promise<string> {
    const path = join(folder, filename);
    await writeFile(path, content);
    return path;
  }

  const LIMITS = { maxBytes: MEGABYTE, maxEntries: 10, maxRatio: 100 };
  const archives = new Archives(root, { memoryMb: 256, timeoutMs: 20_000 });
  const unpack = async (name: string, limits = LIMITS): Promise<[string, string][]> => {
    const entries = await archives.unpack(
      await put(await documentFixture(name), name),
      await mkdtemp(join(folder, 'into-')),
      limits,
      never,
    );
    return Promise.all(entries.map(async ({ name: entry, path }) => [entry, await readFile(path, 'utf8')]));
  };

  it('4 and 5: files, folders and names', async () => {
    expect((await unpack('rar3-subdirs.rar')).map(([name]) => name).toSorted()).toEqual([
      'sub/dir1/file1.txt',
      'sub/dir2/file2.txt',
      'sub/with space/long fn.txt',
      'sub/üȵĩöḋè/file.txt',
    ]);
    const five = await unpack('rar5-crc.rar');
    expect(five.map(([name, content]) => [name, content.length])).toEqual([
      ['stest1.txt', 2048],
      ['stest2.txt', 2048],
    ]);
  });

  it.each([
    ['rar5-psw.rar', LIMITS, 'encrypted'],
    ['rar5-hpsw.rar', LIMITS, 'encrypted'],
    ['rar3-vols.part1.rar', { ...LIMITS, maxBytes: 100 * MEGABYTE }, 'unsupported'],
    ['rar5-crc.rar', { ...LIMITS, maxBytes: 3000 }, 'too_large'],
    ['rar3-subdirs.rar', { ...LIMITS, maxEntries: 2 }, 'too_large'],
  ])('%s is refused, and leaves nothing', async (name, limits, reason) => {
    await expect(unpack(name, limits)).rejects.toMatchObject({ reason });
    const into = (await readdir(folder)).find((entry) => entry.startsWith('into-'));
    expect(await readdir(join(folder, into ?? ''))).toEqual([]);
  });

  it('a link leads nowhere', async () => {
    const files = await unpack('rar5-evil-symlink-traversal.rar');
    expect(files.map(([name]) => name)).toEqual(['up/pwned.txt']);
    const into = (await readdir(folder)).find((entry) => entry.startsWith('into-')) ?? '';
    const written = await readdir(join(folder, into), { withFileTypes: true });
    expect(written.map((entry) => [entry.name, entry.isFile()])).toEqual([['entry-000001', true]]);
    expect(await readdir(folder)).not.toContain('pwned.txt');
  });

  it('a cut one is broken', async () => {
    const path = await put((await documentFixture('rar5-crc.rar')).subarray(0, 1200), 'kaputt.rar');
    await expect(archives.unpack(path, await mkdtemp(join(folder, 'into-')), LIMITS, never)).rejects.toMatchObject({
      reason: 'broken',
    });
  });
});
