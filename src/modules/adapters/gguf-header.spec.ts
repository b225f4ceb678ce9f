import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readGguf } from './gguf-header.js';

const u32 = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer);
const u64 = (value: number): Buffer => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
const tensor = (name: string, columns: number, rows: number): Buffer =>
  Buffer.concat([text(name), u32(2), u64(columns), u64(rows), u32(12), u64(0)]);

const values = [
  [text('general.architecture'), u32(8), text('gemma3')],
  [text('gemma3.block_count'), u32(4), u32(1)],
  [text('tokenizer.ggml.tokens'), u32(9), u32(8), u64(2), text('<s>'), text('ä')],
  [text('tokenizer.ggml.scores'), u32(9), u32(6), u64(3), Buffer.alloc(12)],
  [text('general.trained'), u32(7), Buffer.from([1])],
];
const tensors = [
  tensor('token_embd.weight', 640, 1000),
  tensor('blk.0.attn_q.weight', 640, 1024),
  tensor('blk.0.ffn_down.weight', 2048, 640),
  tensor('blk.0.attn_norm.weight', 640, 1),
];
const header = Buffer.concat([
  Buffer.from('GGUF'),
  u32(3),
  u64(tensors.length),
  u64(values.length),
  ...values.flat(),
  ...tensors,
]);

describe('the header of a GGUF file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clara-gguf-header-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const read = async (bytes: Buffer): ReturnType<typeof readGguf> => {
    const path = join(folder, 'base.gguf');
    await writeFile(path, bytes);
    return readGguf(path);
  };

  it('names the weights that adapters change as transformers does, rows first', async () => {
    const found = await read(Buffer.concat([header, Buffer.alloc(4096)]));
    expect(Object.fromEntries([...found.tensors].map(([name, { shape }]) => [name, shape]))).toEqual({
      'model.embed_tokens.weight': [1000, 640],
      'model.layers.0.self_attn.q_proj.weight': [1024, 640],
      'model.layers.0.mlp.down_proj.weight': [640, 2048],
    });
    expect(found.header).toEqual(header);
  });

  it.each([
    ['another file', Buffer.from('not at all'), 'is no GGUF file'],
    ['half a header', header.subarray(0, 150), 'ends within its header'],
    ['a length that cannot be', Buffer.concat([Buffer.from('GGUF'), u32(3), Buffer.alloc(8, 0xff)]), 'sensible length'],
    [
      'a value of no type',
      Buffer.concat([Buffer.from('GGUF'), u32(3), u64(0), u64(1), text('key'), u32(77), Buffer.alloc(64)]),
      'a value of the type 77',
    ],
  ])('is refused in %s', async (_, bytes, message) => {
    await expect(read(bytes)).rejects.toThrow(message);
  });
});
