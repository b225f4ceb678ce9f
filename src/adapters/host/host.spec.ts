import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderId } from '../../kernel/folder-id.js';
import { ThisHost } from './this-host.js';

describe('this host', () => {
  it('keeps its name and the one of its boot', async () => {
    const [one, two] = await Promise.all([ThisHost.look(undefined, {}), ThisHost.look(undefined, {})]);
    expect(one.hostId).toBe(two.hostId);
    expect(one.bootId).toBe(two.bootId);
    expect(one.hostId).not.toBe('');
  });

  it('is called as it is told', async () => {
    expect((await ThisHost.look('blue', {})).hostId).toBe('blue');
  });

  it('has no GPUs where they are hidden', async () => {
    expect(await ThisHost.look(undefined, { CUDA_VISIBLE_DEVICES: '' })).toMatchObject({ gpus: 0, bf16: false });
  });

  it('knows the free space of a folder, and its cores', async () => {
    const host = await ThisHost.look(undefined, {});
    expect(await host.freeDiskBytes(tmpdir())).toBeGreaterThan(0);
    expect(host.cores).toBeGreaterThan(0);
    await expect(host.freeDiskBytes('/nowhere')).rejects.toThrow();
  });
});

describe('the id of a folder', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clara-id-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is made once, also by many at the same time', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => folderId(folder)));
    expect(new Set(ids).size).toBe(1);
    expect(await folderId(folder)).toBe(ids[0]);
    expect(await readdir(folder)).toEqual(['.folder-id']);
  });

  it('cannot be made where there is no folder', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(folderId(join(folder, 'file'))).rejects.toThrow('ENOTDIR');
  });
});
