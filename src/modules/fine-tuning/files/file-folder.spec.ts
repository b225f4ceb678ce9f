import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Settings } from '../../../config/settings.js';
import { FileFolder } from './file-folder.js';

describe('the folder of /v1/files', () => {
  let data: string;
  let folder: FileFolder;

  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'clara-openai-'));
    folder = new FileFolder({ folders: { data } } as unknown as Settings);
  });
  afterEach(() => rm(data, { recursive: true, force: true }));

  const incoming = (): Promise<string[]> => readdir(join(data, 'openai', 'incoming'));

  it.each([[['{"a":', '1}']], [[]]])('stages %j with its size and hash, and keeps it under an id', async (parts) => {
    const text = parts.join('');
    const staged = await folder.stage(Readable.from(parts.map((part) => Buffer.from(part))));
    const sha256 = createHash('sha256').update(text).digest('hex');
    expect(staged).toMatchObject({ bytes: text.length, sha256 });
    expect(await incoming()).toHaveLength(1);
    const path = await folder.keep(staged, 'file-1');
    expect(await readFile(folder.whole(path), 'utf8')).toBe(text);
    expect(await incoming()).toEqual([]);
  });

  it('has nothing of what broke off', async () => {
    const broken = Readable.from(
      (function* () {
        yield Buffer.from('half');
        throw new Error('the client left');
      })(),
    );
    await expect(folder.stage(broken)).rejects.toThrow('the client left');
    expect(await incoming()).toEqual([]);
  });
});
