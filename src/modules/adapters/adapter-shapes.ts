import type { LoraConfig } from './adapter-config.js';
import { NoAdapter } from './adapter-folder.js';
import type { Tensor, Tensors } from './safetensors.js';

const PART =
  /^base_model\.model\.(.+?)\.(lora_A|lora_B|lora_embedding_A|lora_embedding_B|lora_magnitude_vector)(\.weight)?$/;
const FLOATS = ['F32', 'F16', 'BF16', 'F64'];

type Part = 'A' | 'B' | 'magnitude';
type Layer = Partial<Record<Part, Tensor>> & { isEmbedding?: boolean };

const partOf = (word: string): Part => (word.endsWith('_A') ? 'A' : word.endsWith('_B') ? 'B' : 'magnitude');
const shown = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** The layers that the adapter changes. @throws NoAdapter for a tensor that is no part of a LoRA */
export function layersOf(tensors: Tensors, { dora }: Pick<LoraConfig, 'dora'>): Map<string, Layer> {
  const layers = new Map<string, Layer>();
  for (const [name, tensor] of tensors) {
    const [, module, word] = PART.exec(name) ?? [];
    if (module === undefined || word === undefined || (word === 'lora_magnitude_vector' && !dora))
      throw new NoAdapter(`the tensor ${JSON.stringify(name.slice(0, 200))} is no part of a LoRA adapter`);
    if (!FLOATS.includes(tensor.dtype))
      throw new NoAdapter(`the tensor ${name} has the type ${tensor.dtype}; ${FLOATS.join(', ')} are taken`);
    const layer = layers.get(module) ?? {};
    layers.set(module, { ...layer, [partOf(word)]: tensor, isEmbedding: word.includes('embedding') });
  }
  if (layers.size === 0) throw new NoAdapter('adapter_model.safetensors holds no tensors');
  return layers;
}

/** Wrappers and tied weights give one weight several names. */
function weightOf(module: string, base: Tensors): Tensor | undefined {
  const found = [
    module,
    `model.${module}`,
    module.replace(/^model\./, ''),
    module.replace('model.language_model.', 'model.'),
  ]
    .map((name) => base.get(`${name}.weight`))
    .find((weight) => weight !== undefined);
  if (found || !module.endsWith('lm_head')) return found;
  return [...base].find(([name]) => name.endsWith('embed_tokens.weight') || name.endsWith('wte.weight'))?.[1];
}

/** [in, out] of the weight that A and B go round; undefined where a quantised weight does not tell. */
function sidesOf(weight: Tensor, layer: Layer, transposed: boolean): [number, number] | undefined {
  const [rows = 0, columns = 0] = weight.shape;
  if (weight.shape.length !== 2 || !FLOATS.includes(weight.dtype)) return undefined;
  return layer.isEmbedding || transposed ? [rows, columns] : [columns, rows];
}

function checkLayer(module: string, layer: Layer, weight: Tensor, lora: LoraConfig): void {
  const { A, B } = layer;
  if (!A || !B) throw new NoAdapter(`the layer ${module} has ${A ? 'A without B' : 'B without A'}`);
  const [rank = 0, into = 0] = A.shape;
  const ranks = [lora.r, ...Object.values(lora.rankPattern)];
  const [out = 0, rankOfB = 0] = B.shape;
  if (A.shape.length !== 2 || B.shape.length !== 2 || rank !== rankOfB || !ranks.includes(rank))
    throw new NoAdapter(
      `the layer ${module} has A ${shown(A.shape)} and B ${shown(B.shape)}, which is not the rank ${[...new Set(ranks)].join(' or ')} of adapter_config.json`,
    );
  const sides = sidesOf(weight, layer, lora.transposed);
  if (sides && (sides[0] !== into || sides[1] !== out))
    throw new NoAdapter(
      `the layer ${module} goes from ${into} to ${out}, in the base from ${sides[0]} to ${sides[1]}: the adapter was made for another base`,
    );
}

/** Compares every tensor with the base's. Pure. @throws NoAdapter naming the first that does not fit */
export function checkShapes(adapter: Tensors, lora: LoraConfig, base: { slug: string; tensors: Tensors }): void {
  for (const [module, layer] of layersOf(adapter, lora)) {
    const weight = weightOf(module, base.tensors);
    if (!weight)
      throw new NoAdapter(
        `the base ${base.slug} has no layer ${module.slice(0, 200)}: the adapter was made for another`,
      );
    checkLayer(module, layer, weight, lora);
  }
}
