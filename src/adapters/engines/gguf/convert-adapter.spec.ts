import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GgufAdapters } from './convert-adapter.js';

type Shape = [number, number];
const LLAMA = { architecture: 'llama', heads: 2, kvHeads: 1 };
const Q = 'base_model.model.model.layers.3.self_attn.q_proj';

function weights(tensors: Record<string, { dtype: string; shape: Shape; data: Buffer }>): Buffer {
  let end = 0;
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, data }]) => {
      const from = end;
      end += data.length;
      return [name, { dtype, shape, data_offsets: [from, end] }];
    }),
  );
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...Object.values(tensors).map(({ data }) => data)]);
}

const f32 = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer);
const u16 = (...values: number[]): Buffer => Buffer.from(Uint16Array.from(values).buffer);
const row = (...values: number[]) => ({ dtype: 'F32', shape: [1, values.length] as Shape, data: f32(...values) });
const column = (...values: number[]) => ({ dtype: 'F32', shape: [values.length, 1] as Shape, data: f32(...values) });

describe('a PEFT adapter as GGUF', () => {
  let folder: string;
  let count = 0;

  const adapter = async (tensors: Parameters<typeof weights>[0], config: object = {}): Promise<string> => {
    const path = join(folder, `adapter-${(count += 1)}`);
    await mkdir(path);
    await writeFile(join(path, 'adapter_config.json'), JSON.stringify({ r: 1, lora_alpha: 2, ...config }));
    await writeFile(join(path, 'adapter_model.safetensors'), weights(tensors));
    return path;
  };
  const converted = async (path: string, base = LLAMA): Promise<Buffer> =>
    readFile(await new GgufAdapters(join(folder, 'gguf')).of(path, base));
  /** The numbers of the last tensor, which B is. */
  const lastFloats = (file: Buffer, length: number): number[] => {
    const padded = Math.ceil((length * 4) / 32) * 32;
    return Array.from({ length }, (_, at) => file.readFloatLE(file.length - padded + at * 4));
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clara-gguf-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('has the names of llama.cpp, and the rows of q in its order', async () => {
    const file = await converted(
      await adapter({ [`${Q}.lora_A.weight`]: row(1, 2), [`${Q}.lora_B.weight`]: column(0, 1, 2, 3, 4, 5, 6, 7) }),
    );
    const text = file.toString('latin1');
    expect(file.subarray(0, 4).toString()).toBe('GGUF');
    expect(file.readUInt32LE(4)).toBe(3);
    expect([file.readBigUInt64LE(8), file.readBigUInt64LE(16)]).toEqual([2n, 4n]);
    for (const name of ['blk.3.attn_q.weight.lora_a', 'blk.3.attn_q.weight.lora_b', 'adapter.lora.alpha'])
      expect(text).toContain(name);
    // Two heads of four rows: the two halves of each, one row of either in turn.
    expect(lastFloats(file, 8)).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
  });

  it('keeps the order for others, and takes the scale of a layer into B', async () => {
    const tensors = { [`${Q}.lora_A.weight`]: row(1), [`${Q}.lora_B.weight`]: column(1, 2) };
    const path = await adapter(tensors, { alpha_pattern: { 'self_attn.q_proj': 6 } });
    expect(lastFloats(await converted(path, { ...LLAMA, architecture: 'gemma3' }), 2)).toEqual([3, 6]);
  });

  it('reads half precision of both kinds', async () => {
    const halves = (dtype: string, ...bits: number[]) => ({
      dtype,
      shape: [bits.length, 1] as Shape,
      data: u16(...bits),
    });
    const values = async (b: ReturnType<typeof halves>) =>
      lastFloats(
        await converted(await adapter({ [`${Q}.lora_A.weight`]: row(1), [`${Q}.lora_B.weight`]: b }), {
          ...LLAMA,
          architecture: 'qwen2',
        }),
        4,
      );
    expect(await values(halves('F16', 0x3c00, 0xc000, 0x3555, 0x0001))).toEqual([1, -2, 0.333251953125, 2 ** -24]);
    expect(await values(halves('BF16', 0x3f80, 0xc000, 0x3e80, 0))).toEqual([1, -2, 0.25, 0]);
  });

  it('is written once', async () => {
    const path = await adapter({ [`${Q}.lora_A.weight`]: row(9), [`${Q}.lora_B.weight`]: column(9, 9, 9, 9) });
    const adapters = new GgufAdapters(join(folder, 'once'));
    const [one, other] = await Promise.all([adapters.of(path, LLAMA), adapters.of(path, LLAMA)]);
    expect([one === other, await readdir(join(folder, 'once'))]).toEqual([true, [one.split('/').at(-1)]]);
  });

  it.each([
    ['use_dora', { [`${Q}.lora_A.weight`]: row(1) }, { use_dora: true }, 'DoRA'],
    ['an embedding', { 'base_model.model.model.embed_tokens.lora_embedding_A': row(1) }, {}, 'no counterpart'],
    ['half a pair', { [`${Q}.lora_A.weight`]: row(1) }, {}, 'do not fit each other'],
    [
      'another layer',
      {
        'base_model.model.x.layers.1.mixer.lora_A.weight': row(1),
        'base_model.model.x.layers.1.mixer.lora_B.weight': column(1),
      },
      {},
      'no name in GGUF',
    ],
    [
      'a pattern',
      { [`${Q}.lora_A.weight`]: row(1), [`${Q}.lora_B.weight`]: column(1, 2, 3, 4) },
      { alpha_pattern: { '(.*)+q': 1 } },
      'no plain name',
    ],
  ])('is refused with %s', async (_, tensors, config, message) => {
    await expect(converted(await adapter(tensors as Parameters<typeof weights>[0], config))).rejects.toThrow(message);
  });

  it('is refused for a base whose layers it does not know', async () => {
    const path = await adapter({ [`${Q}.lora_A.weight`]: row(1), [`${Q}.lora_B.weight`]: column(1) });
    await expect(converted(path, { ...LLAMA, architecture: 'mamba' })).rejects.toThrow('mamba cannot be converted');
  });
});
