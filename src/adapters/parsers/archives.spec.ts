import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { strToU8, zipSync } from 'fflate';
import { pack, type Header } from 'tar-stream';
import { goodFiles, zipOf } from '../../../test/fixtures/document-files.js';
import type { ArchiveEntry, ArchiveLimits } from '../../modules/documents/archive-reader.port.js';
import { UnreadableFile } from '../../modules/documents/document-parser.port.js';
import { Archives } from './archives.js';

const LIMITS: ArchiveLimits = { maxBytes: 64 * 1_048_576, maxEntries: 100, maxRatio: 100 };
const archives = new Archives('/nowhere', { memoryMb: 256, timeoutMs: 1000 });

function tarOf(entries: readonly (Partial<Header> & { name: string; content?: string })[]): Promise<Buffer> {
  const tar = pack();
  for (const { content, ...header } of entries) tar.entry(header, content ?? '');
  tar.finalize();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    tar.on('data', (chunk) => chunks.push(chunk as Buffer));
    tar.on('end', () => resolve(Buffer.concat(chunks)));
    tar.on('error', reject);
  });
}

/** Changes fields of the only entry of a ZIP file, in its local and its central header. */
function patched(zip: Buffer, change: (header: Buffer, where: 'local' | 'central') => void): Buffer {
  const bytes = Buffer.from(zip);
  change(bytes.subarray(bytes.indexOf('PK\u0003\u0004')), 'local');
  change(bytes.subarray(bytes.indexOf('PK\u0001\u0002')), 'central');
  return bytes;
}

describe('archives', () => {
  let folder: string;
  let into: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clara-archive-'));
    into = await mkdtemp(join(folder, 'into-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function unpack(
    bytes: Buffer,
    limits = LIMITS,
    signal = new AbortController().signal,
  ): Promise<ArchiveEntry[]> {
    const path = join(folder, 'archiv');
    await writeFile(path, bytes);
    return archives.unpack(path, into, limits, signal);
  }

  async function refused(bytes: Buffer, limits = LIMITS): Promise<UnreadableFile> {
    const error = await unpack(bytes, limits).then(
      () => new Error('nothing was refused'),
      (reason: unknown) => reason,
    );
    expect(await readdir(into)).toEqual([]);
    if (!(error instanceof UnreadableFile)) throw error;
    return error;
  }

  const files = { 'Straße/Größe.txt': 'Müller', 'leer.txt': '', 'ordner/': '' };
  const expectFiles = async (entries: ArchiveEntry[]): Promise<void> => {
    expect(Object.fromEntries(entries.map(({ name, bytes }) => [name, bytes]))).toEqual({
      'Straße/Größe.txt': 7,
      'leer.txt': 0,
    });
    for (const { path, bytes } of entries) {
      expect(path.startsWith(`${into}/entry-`)).toBe(true);
      expect([(await stat(path)).mode & 0o777, (await stat(path)).size]).toEqual([0o600, bytes]);
    }
    const street = entries.find(({ bytes }) => bytes > 0);
    expect(await readFile(street?.path ?? '', 'utf8')).toBe('Müller');
  };

  const sample = (): Promise<Buffer> =>
    tarOf([
      { name: 'Straße/Größe.txt', content: 'Müller' },
      { name: 'leer.txt', content: '' },
      { name: 'ordner/', type: 'directory' },
    ]);

  it('zip, tar and tar.gz: names, bytes, mode 0600, names of ours on disk', async () => {
    await expectFiles(await unpack(zipOf(files)));
    for (const bytes of [await sample(), gzipSync(await sample())]) {
      into = await mkdtemp(join(folder, 'into-'));
      await expectFiles(await unpack(bytes));
    }
  });

  it('gz: one file, under the name in its header or that of the archive', async () => {
    const plain = gzipSync('Größe');
    expect((await unpack(plain)).map(({ name, bytes }) => [name, bytes])).toEqual([['archiv', 7]]);
    const named = Buffer.concat([plain.subarray(0, 10), Buffer.from('brief.txt\0'), plain.subarray(10)]);
    named[3] = 8;
    into = await mkdtemp(join(folder, 'into-'));
    expect((await unpack(named)).map(({ name }) => name)).toEqual(['brief.txt']);
  });

  it('kinds by content: documents that are packed are no archives', async () => {
    const kind = async (bytes: Buffer): Promise<string | null> => {
      const path = join(folder, 'datei.bin');
      await writeFile(path, bytes);
      return archives.kindOf(path);
    };
    expect(await kind(zipOf(files))).toBe('zip');
    expect(await kind(await sample())).toBe('tar');
    expect(await kind(gzipSync(await sample()))).toBe('gz');
    expect(await kind(gzipSync('x'))).toBe('gz');
    expect(await kind(Buffer.from('377abcaf271c0004', 'hex'))).toBe('7z');
    expect(await kind(Buffer.from('526172211a070100', 'hex'))).toBe('rar');
    for (const document of ['docx', 'xlsx', 'pptx', 'odt', 'pdf', 'txt', 'doc'] as const)
      expect([document, await kind(await goodFiles[document]())]).toEqual([document, null]);
    expect(await kind(zipOf({ mimetype: 'application/vnd.oasis.opendocument.spreadsheet' }))).toBeNull();
    expect(await kind(Buffer.alloc(0))).toBeNull();
  });

  it('a document within an archive is a file; so is an archive', async () => {
    const entries = await unpack(zipOf({ 'a.docx': await goodFiles.docx(), 'innen.zip': zipOf(files) }));
    expect(entries.map(({ name }) => name)).toEqual(['a.docx', 'innen.zip']);
  });

  it('7z is refused with what to do', async () => {
    expect(await refused(Buffer.from('377abcaf271c0004', 'hex'))).toMatchObject({
      reason: 'unsupported',
      message: '7z archives are not unpacked: pack the files as zip or tar.gz.',
    });
  });

  it.each(['../a.txt', 'a/../../b', '/etc/passwd', 'C:\\Windows\\a.txt', 'c:/a', '..\\a', 'a/..', 'a\u0000b'])(
    'a name that would escape is refused: %j',
    async (name) => {
      expect(await refused(zipOf({ 'gut.txt': 'x', [name]: 'y' }))).toMatchObject({
        reason: 'broken',
        message: expect.stringContaining('refused'),
      });
    },
  );

  it('backslashes are folders', async () => {
    expect((await unpack(zipOf({ 'ordner\\datei.txt': 'x' }))).map(({ name }) => name)).toEqual(['ordner/datei.txt']);
  });

  it('names in code page 437 are read', async () => {
    const zip = patched(zipOf({ 'Mxller.txt': 'x' }), (header, where) => {
      header[(where === 'local' ? 30 : 46) + 1] = 0x81;
      header.writeUInt16LE(0, where === 'local' ? 6 : 8);
    });
    expect((await unpack(zip)).map(({ name }) => name)).toEqual(['Müller.txt']);
  });

  it('links and devices are passed over, in tar and in zip', async () => {
    const tar = await tarOf([
      { name: 'link', type: 'symlink', linkname: '/etc/passwd' },
      { name: 'hart', type: 'link', linkname: '/etc/passwd' },
      { name: 'geraet', type: 'character-device' },
      { name: 'rohr', type: 'fifo' },
      { name: 'gut.txt', content: 'x' },
    ]);
    expect((await unpack(tar)).map(({ name }) => name)).toEqual(['gut.txt']);
    into = await mkdtemp(join(folder, 'into-'));
    const zip = zipSync({ link: [strToU8('/etc/passwd'), { os: 3, attrs: 0o120777 << 16 }], 'gut.txt': strToU8('x') });
    expect((await unpack(Buffer.from(zip))).map(({ name }) => name)).toEqual(['gut.txt']);
  });

  it('an encrypted entry is refused', async () => {
    const zip = patched(zipOf({ 'a.txt': 'x' }), (header, where) => header.writeUInt16LE(1, where === 'local' ? 6 : 8));
    expect(await refused(zip)).toMatchObject({ reason: 'encrypted', message: expect.stringContaining('"a.txt"') });
  });

  const mega = new Uint8Array(1_048_576);

  it('a bomb is ended by its ratio, its size or its number of files', async () => {
    const bomb = zipOf({ 'a.txt': new Uint8Array(12 * mega.length) });
    expect(await refused(bomb)).toMatchObject({ reason: 'too_large', message: expect.stringContaining('100 times') });
    expect(await refused(gzipSync(Buffer.alloc(12 * mega.length)))).toMatchObject({ reason: 'too_large' });
    const small = { ...LIMITS, maxBytes: mega.length };
    expect(await refused(zipOf({ a: mega, b: mega }), small)).toMatchObject({
      reason: 'too_large',
      message: expect.stringContaining('1 MB'),
    });
    expect(
      await refused(gzipSync(await tarOf([{ name: 'a', content: 'x'.repeat(2 * mega.length) }])), small),
    ).toMatchObject({ reason: 'too_large' });
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`${at}.txt`, 'x']));
    expect(await refused(zipOf(many))).toMatchObject({
      reason: 'too_large',
      message: expect.stringContaining('100 files'),
    });
    const folders = Array.from({ length: 500 }, (_, at) => ({ name: `${at}/`, type: 'directory' as const }));
    expect(await refused(await tarOf(folders))).toMatchObject({ reason: 'too_large' });
  });

  it('sizes that lie are found out while bytes come', async () => {
    const content = 'x'.repeat(5000);
    const says = (size: number): Buffer =>
      patched(zipOf({ a: content }), (header, where) => header.writeUInt32LE(size, where === 'local' ? 22 : 24));
    expect(await refused(says(10))).toMatchObject({ reason: 'broken' });
    expect(await refused(says(0xfffffff0), { ...LIMITS, maxBytes: 1_048_576 })).toMatchObject({ reason: 'broken' });
    const sum = patched(zipOf({ a: content }), (header, where) => header.writeUInt32LE(1, where === 'local' ? 14 : 16));
    expect(await refused(sum)).toMatchObject({ reason: 'broken', message: expect.stringContaining('checksum') });
  });

  it('zip64 is read', async () => {
    expect(
      await Promise.all(
        (await unpack(zip64('gross.txt', 'Größe'))).map(async ({ name, path }) => [name, await readFile(path, 'utf8')]),
      ),
    ).toEqual([['gross.txt', 'Größe']]);
  });

  it('a damaged archive is broken, and leaves nothing', async () => {
    const zip = zipOf({
      a: 'x'.repeat(5000),
      b: Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7919) % 251)),
    });
    const tar = await tarOf([
      { name: 'a', content: 'x'.repeat(5000) },
      { name: 'b', content: 'y'.repeat(5000) },
    ]);
    for (const bytes of [
      zip.subarray(0, zip.length - 30),
      tar.subarray(0, 6000),
      gzipSync(tar).subarray(0, 60),
      Buffer.from('kein Archiv'),
    ])
      expect((await refused(bytes)).reason).toMatch(/^(?:broken|unsupported)$/);
  });

  it('an abort ends it and leaves nothing', async () => {
    const stop = new AbortController();
    const unpacking = unpack(zipOf({ a: new Uint8Array(8 * mega.length) }), LIMITS, stop.signal);
    setImmediate(() => stop.abort());
    await expect(unpacking).rejects.toThrow(/abort/i);
    expect(await readdir(into)).toEqual([]);
  });
});

/** One stored entry whose sizes and place stand in ZIP64 fields (APPNOTE 4.5.3, 4.3.14). */
function zip64(name: string, content: string): Buffer {
  const data = Buffer.from(content);
  const plain = zipSync({ [name]: data }, { level: 0 });
  const sum = Buffer.from(plain).readUInt32LE(14);
  const local = Buffer.from(plain).subarray(0, 30 + name.length + data.length);
  const extra = Buffer.alloc(28);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(24, 2);
  extra.writeBigUInt64LE(BigInt(data.length), 4);
  extra.writeBigUInt64LE(BigInt(data.length), 12);
  const central = Buffer.alloc(46);
  central.write('PK\u0001\u0002', 'latin1');
  central.writeUInt16LE(45, 4);
  central.writeUInt16LE(45, 6);
  central.writeUInt32LE(sum, 16);
  central.fill(0xff, 20, 28);
  central.writeUInt16LE(name.length, 28);
  central.writeUInt16LE(extra.length, 30);
  central.fill(0xff, 42, 46);
  const directory = Buffer.concat([central, Buffer.from(name), extra]);
  const end64 = Buffer.alloc(56);
  end64.write('PK\u0006\u0006', 'latin1');
  end64.writeBigUInt64LE(44n, 4);
  end64.writeUInt16LE(45, 12);
  end64.writeUInt16LE(45, 14);
  end64.writeBigUInt64LE(1n, 24);
  end64.writeBigUInt64LE(1n, 32);
  end64.writeBigUInt64LE(BigInt(directory.length), 40);
  end64.writeBigUInt64LE(BigInt(local.length), 48);
  const locator = Buffer.alloc(20);
  locator.write('PK\u0006\u0007', 'latin1');
  locator.writeBigUInt64LE(BigInt(local.length + directory.length), 8);
  locator.writeUInt32LE(1, 16);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006', 'latin1');
  end.fill(0xff, 8, 20);
  return Buffer.concat([local, directory, end64, locator, end]);
}
