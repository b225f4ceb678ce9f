import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ADAPTER_FILES } from '../adapter-folder.js';
import { ggufFile, type Matrix } from './gguf-file.js';
import { checkArchitecture, ordered, weightName, type GgufBase } from './gguf-layers.js';
import { NotConvertible, readConfig, readPairs, type LoraPair, type PeftConfig } from './peft-weights.js';

/** Changes when the same adapter becomes another file. */
const VERSION = 1;
const UNUSED_MS = 30 * 24 * 60 * 60 * 1000;

/** Where converted adapters are kept in the cache. */
export const convertedIn = (cache: string): string => join(cache, 'gguf-adapters');

/** PEFT folders as GGUF adapters, each converted once for each kind of base and kept in the folder. */
export class GgufAdapters {
  constructor(private readonly folder: string) {}

  /** @returns path of the file @throws NotConvertible */
  async of(adapter: string, base: GgufBase): Promise<string> {
    const path = join(this.folder, `${await keyOf(adapter, base)}.gguf`);
    const isThere = await utimes(path, new Date(), new Date()).then(
      () => true,
      () => false,
    );
    if (!isThere) await this.#write(path, await convert(adapter, base));
    return path;
  }

  /** Whole or not at all: others may convert the same. */
  async #write(path: string, pieces: readonly Buffer[]): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await this.#sweep();
    const partial = `${path}.${randomUUID()}`;
    try {
      await writeFile(partial, pieces);
      await rename(partial, path);
    } finally {
      await rm(partial, { force: true });
    }
  }

  async #sweep(): Promise<void> {
    for (const name of await readdir(this.folder)) {
      const path = join(this.folder, name);
      const used = await stat(path).catch(() => undefined);
      if (used && Date.now() - used.mtimeMs > UNUSED_MS) await rm(path, { force: true });
    }
  }
}

async function keyOf(adapter: string, base: GgufBase): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([VERSION, base.architecture, base.heads, base.kvHeads]));
  for (const file of ADAPTER_FILES)
    for await (const piece of createReadStream(join(adapter, file)) as AsyncIterable<Buffer>) hash.update(piece);
  return hash.digest('hex');
}

/**
 * For each weight `<weight>.lora_a` [rank, in] and `<weight>.lora_b` [out, rank], as llama.cpp reads them
 * (src/llama-adapter.cpp). llama.cpp knows one alpha: scales that differ from layer to layer go into B.
 */
async function convert(adapter: string, base: GgufBase): Promise<Buffer[]> {
  checkArchitecture(base);
  const config = await readConfig(adapter);
  const tensors = new Map<string, Matrix>();
  for (const [layer, pair] of await readPairs(adapter)) {
    const weight = weightName(layer);
    tensors.set(`${weight}.lora_a`, pair.a);
    tensors.set(`${weight}.lora_b`, ordered(layer, scaled(layer, pair, config), base));
  }
  if (tensors.size === 0) throw new NotConvertible('adapter_model.safetensors holds no matrices');
  const metadata = {
    'general.architecture': base.architecture,
    'general.type': 'adapter',
    'adapter.type': 'lora',
    'adapter.lora.alpha': config.lora_alpha,
  };
  return ggufFile(metadata, tensors);
}

function scaled(layer: string, { a, b }: LoraPair, config: PeftConfig): Matrix {
  const factor = scaleOf(config, layer, a.rows) / (config.lora_alpha / a.rows);
  return factor === 1 ? b : { ...b, values: b.values.map((value) => value * factor) };
}

/** What B A is multiplied by: alpha / r, or alpha / sqrt(r) where rank-stabilised. */
function scaleOf(config: PeftConfig, layer: string, rank: number): number {
  const patterns = Object.entries(config.alpha_pattern ?? {});
  const unclear = patterns.find(([name]) => !/^[\w.]+$/.test(name));
  if (unclear) throw new NotConvertible(`alpha_pattern names "${unclear[0]}", which is no plain name of a layer`);
  const [, alpha = config.lora_alpha] = patterns.find(([name]) => `.${layer}`.endsWith(`.${name}`)) ?? [];
  return alpha / (config.use_rslora ? Math.sqrt(rank) : rank);
}
