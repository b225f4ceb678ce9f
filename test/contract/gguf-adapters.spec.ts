import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GgufAdapters } from '../../src/adapters/engines/gguf/convert-adapter.js';
import { makeTinyAdapters } from '../fixtures/tiny-adapters.js';
import { root, tinyModel, trainerPython } from '../fixtures/trainer.js';

import.meta.jest.setTimeout(300_000);

const run = promisify(execFile);

/** Writes the adapter as the trainer's export does, and says of both files what llama.cpp reads of them. */
const READER = `
import hashlib, json, sys
from pathlib import Path
import gguf
from clara_trainer.export.gguf_adapter import write_gguf_adapter
base, adapter, ours, theirs = map(Path, sys.argv[1:])
write_gguf_adapter(base, adapter, theirs, "x")
KEYS = ("general.architecture", "general.type", "adapter.type", "adapter.lora.alpha")
def facts(path):
    reader = gguf.GGUFReader(str(path))
    told = {key: reader.fields[key].contents() for key in KEYS}
    numbers = {t.name: [list(map(int, t.shape)), hashlib.sha256(t.data.tobytes()).hexdigest()] for t in reader.tensors}
    return {"told": told, "numbers": numbers}
print(json.dumps([facts(ours), facts(theirs)]))
`;

interface Facts {
  told: Record<string, unknown>;
  numbers: Record<string, unknown>;
}

describe('an adapter as GGUF, by the engines and by the trainer', () => {
  let folder: string;
  let model: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clara-gguf-'));
    model = await tinyModel();
    await makeTinyAdapters(model, [{ path: join(folder, 'plain'), seed: 5, strength: 0.3 }]);
  }, 200_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const both = async (adapter: string): Promise<[Facts, Facts]> => {
    const { num_attention_heads: heads, num_key_value_heads: kvHeads } = JSON.parse(
      await readFile(join(model, 'config.json'), 'utf8'),
    ) as { num_attention_heads: number; num_key_value_heads: number };
    const ours = await new GgufAdapters(join(folder, 'gguf')).of(adapter, { architecture: 'llama', heads, kvHeads });
    const env = { ...process.env, PYTHONPATH: join(root, 'trainer/src'), HF_HUB_OFFLINE: '1' };
    const places = [model, adapter, ours, `${adapter}.gguf`];
    const { stdout } = await run(await trainerPython(), ['-c', READER, ...places], { env });
    return JSON.parse(stdout) as [Facts, Facts];
  };

  it.each([
    ['plain', {}],
    ['rank-stabilised', { use_rslora: true, lora_alpha: 3 }],
    ['patterned', { alpha_pattern: { q_proj: 3, 'mlp.down_proj': 0.7, 'layers.1.self_attn.k_proj': 5 } }],
  ])('is the same, bit for bit: %s', async (name, changes) => {
    const adapter = join(folder, `changed-${name}`);
    await cp(join(folder, 'plain'), adapter, { recursive: true });
    const file = join(adapter, 'adapter_config.json');
    await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), ...changes }));
    const [ours, theirs] = await both(adapter);
    expect(ours).toEqual(theirs);
    expect(Object.keys(ours.numbers)).toHaveLength(2 * 2 * 7);
  });
});
