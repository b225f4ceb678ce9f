import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTensors } from './safetensors.js';

describe('safetensors', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clara-tensors-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const read = async (header: string | object, dataBytes: number, length?: bigint) => {
    const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(length ?? BigInt(text.length));
    const path = join(folder, 'x.safetensors');
    await writeFile(path, Buffer.concat([size, text, Buffer.alloc(dataBytes)]));
    return readTensors(path);
  };
  const tensor = { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] };

  it('are read by their header', async () => {
    const tensors = await read({ __metadata__: { format: 'pt' }, a: tensor }, 24);
    expect([...tensors]).toEqual([['a', expect.objectContaining({ dtype: 'F32', shape: [2, 3] })]]);
  });

  it.each([
    ['a pickle', '\u0080\u0002}q\u0000', 0, 0x7d02_8000n, /no sensible length/],
    ['a header without end', {}, 0, 1n << 60n, /no sensible length/],
    ['a header that is not JSON', '{"a', 0, undefined, /not JSON/],
    ['a header that is a list', '[]', 0, undefined, /no object/],
    ['missing data', { a: tensor }, 20, undefined, /not the bytes of its shape/],
    ['hidden data', { a: tensor }, 400, undefined, /24 bytes, and 400 stand behind/],
    ['a type that is none', { a: { ...tensor, dtype: 'PICKLE' } }, 24, undefined, /not described as one/],
    ['a shape that is none', { a: { ...tensor, shape: [-2, 3] } }, 24, undefined, /not described as one/],
    ['offsets of another length', { a: { ...tensor, data_offsets: [0, 8] } }, 24, undefined, /not the bytes/],
  ])('are refused with %s', async (_, header, bytes, length, why) => {
    await expect(read(header, bytes, length)).rejects.toThrow(why);
  });

  it('are refused where the file is empty', async () => {
    await writeFile(join(folder, 'empty'), '');
    await expect(readTensors(join(folder, 'empty'))).rejects.toThrow(/ends within/);
  });
});
