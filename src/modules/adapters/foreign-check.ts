import { baseSlug } from '../../kernel/base-slug.js';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { checkPlain, loraConfigOf, type LoraConfig } from './adapter-config.js';
import { CONFIG_FILE, NoAdapter, readFolder, readJson, WEIGHTS_FILE, type FolderFacts } from './adapter-folder.js';
import { checkShapes } from './adapter-shapes.js';
import { BaseModels, type BaseModel, type GgufBase } from './base-models.port.js';
import { readGguf } from './gguf-header.js';
import { BrokenWeights, readTensors, type Tensor, type Tensors } from './safetensors.js';

/** A folder that may be registered. */
export interface CheckedFolder {
  facts: FolderFacts;
  config: Record<string, unknown>;
  lora: LoraConfig;
  base: BaseModel | GgufBase;
}

const SHOWN_BASES = 10;
const NONE: Promise<Tensors> = Promise.resolve(new Map());

const ggufTensors = async (file: string): Promise<Tensors> => (await readGguf(file)).tensors;

async function tensorsOf(folder: string): Promise<Tensors> {
  const all = new Map<string, Tensor>();
  const names = (await readdir(folder)).filter((name) => name.endsWith('.safetensors'));
  for (const name of names) for (const [tensor, is] of await readTensors(join(folder, name))) all.set(tensor, is);
  return all;
}

/** Of the models that a name may mean: the same folder or id, else the same hash, else the same slug. Pure. */
export function baseNamed<T extends BaseModel>(named: string, known: readonly T[]): T | undefined {
  return (
    known.find((base) => base.named === named || base.folder === named) ??
    known.find(({ hash }) => hash === named.toLowerCase()) ??
    known.find(({ slug }) => slug === baseSlug(named))
  );
}

/** Looks at a folder from elsewhere as at something that may be broken, or meant to harm. */
@Injectable()
export class ForeignCheck {
  constructor(private readonly bases: BaseModels) {}

  /**
   * @param declared the base as the sender names it; undefined: as adapter_config.json does
   * @throws NoAdapter saying what is wrong and what to do
   */
  async check(folder: string, declared: string | undefined): Promise<CheckedFolder> {
    const facts = await readFolder(folder);
    if (!facts.files.some(({ name }) => name === WEIGHTS_FILE))
      throw new NoAdapter(`${WEIGHTS_FILE} is missing; only safetensors are taken`);
    const config = await readJson(folder, CONFIG_FILE);
    const lora = loraConfigOf(config);
    checkPlain(config);
    const weights = await this.#weights(folder);
    const base = await this.#base(lora, declared);
    checkShapes(weights, lora, { slug: base.slug, tensors: await this.#baseTensors(base) });
    return { facts, config, lora, base };
  }

  async #base({ base }: LoraConfig, declared: string | undefined): Promise<BaseModel | GgufBase> {
    const named = declared ?? base;
    if (named === null)
      throw new NoAdapter(
        'adapter_config.json names no base (base_model_name_or_path); name it in the field base_model',
      );
    if (named === 'default') return this.bases.of(named);
    const gguf = await this.bases.ofGguf();
    // Weights in full precision come first: they say more.
    const known = [...(await this.bases.known()), ...(gguf ? [gguf] : [])];
    const found = baseNamed(named, known);
    if (found) return found;
    const slugs = [...new Set(known.map(({ slug }) => slug))].slice(0, SHOWN_BASES);
    throw new NoAdapter(
      `the base ${JSON.stringify(named.slice(0, 200))} is not on this host, which has ${slugs.join(', ') || 'none'}; put it into a folder of CLARA_MODEL_DIRS, or name another in the field base_model`,
    );
  }

  async #weights(folder: string): Promise<Tensors> {
    return readTensors(join(folder, WEIGHTS_FILE)).catch((error: unknown) => {
      throw error instanceof BrokenWeights ? new NoAdapter(`${WEIGHTS_FILE} ${error.message}`) : error;
    });
  }

  async #baseTensors(base: BaseModel | GgufBase): Promise<Tensors> {
    const { slug, folder } = base;
    const tensors = await ('file' in base ? ggufTensors(base.file) : folder === null ? NONE : tensorsOf(folder)).catch(
      brokenBase(slug),
    );
    if (tensors.size > 0) return tensors;
    throw new NoAdapter(`the base ${slug} has no weights in safetensors on this host to compare the adapter with`);
  }
}

const brokenBase = (slug: string) => (error: unknown) => {
  throw error instanceof BrokenWeights ? new NoAdapter(`the weights of the base ${slug} cannot be read`) : error;
};
