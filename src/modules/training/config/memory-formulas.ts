import type { ResolvedConfig } from '../resolved-config.js';
import type { Linear, ModelFacts } from './model-shape.js';

export type Run = ResolvedConfig['run'];

/** What `auto` comes to, as the trainer decides it. */
export interface Choices {
  device: 'gpu' | 'cpu';
  /** Bytes of a base weight that is not quantised. */
  weightBytes: number;
  /** Bytes of a value between two layers. */
  valueBytes: number;
  /** Matrix products in 16 bits of weights and adapters that are held in 32. */
  autocast: boolean;
  checkpointing: boolean;
  attention: 'eager' | 'sdpa' | 'flash_attention_2';
  /** Rows stand one after another, without padding and mask. */
  paddingFree: boolean;
}

/** A pair of preferences is two rows that go through the model together. */
export const rowsAtOnce = ({ method, training }: Run): number => training.batch_size * (method === 'dpo' ? 2 : 1);

const CHECKPOINTING_PARAMETERS = 1_000_000_000;
const FLOAT = 4;

/** @see trainer/src/clara_trainer/device.py and padding_free.py, which decide the same */
export function choicesOf(run: Run, parameters: number, device: 'gpu' | 'cpu', bf16: boolean): Choices {
  const precision =
    run.training.precision === 'auto' ? (device === 'gpu' && bf16 ? 'bf16' : 'fp32') : run.training.precision;
  const { dtype, attention } = run.model;
  const auto = precision === 'bf16' && device === 'gpu' ? 2 : FLOAT;
  const weightBytes = dtype === 'auto' ? auto : dtype === 'float32' ? FLOAT : 2;
  const wish = run.training.gradient_checkpointing;
  return {
    device,
    weightBytes,
    valueBytes: precision === 'fp32' ? weightBytes : 2,
    autocast: precision !== 'fp32',
    checkpointing: wish === 'auto' ? device === 'gpu' && parameters > CHECKPOINTING_PARAMETERS : wish,
    attention: attention === 'auto' ? 'sdpa' : attention,
    paddingFree:
      attention === 'auto' && run.method === 'supervised' && (device === 'cpu' || (bf16 && precision !== 'fp32')),
  };
}

const sum = (values: number[]): number => values.reduce((all, value) => all + value, 0);
const weightsOf = (linears: Linear[]): number =>
  sum(linears.map(({ inputs, outputs, count }) => inputs * outputs * count));

/** The matrices that get an adapter, by the last parts of their names, as PEFT matches them. */
export function targetsOf(run: Run, { linears }: ModelFacts): Linear[] {
  const wanted = run.adapter.target_modules;
  if (wanted === 'all-linear') return linears;
  return linears.filter(({ name }) => wanted.some((target) => name === target || name.endsWith(`.${target}`)));
}

/** LoRA: two matrices of rank r beside each target, r * (inputs + outputs) (Hu et al. 2021, arXiv 2106.09685). */
export const adapterParameters = (run: Run, targets: Linear[]): number =>
  sum(targets.map(({ inputs, outputs, count }) => run.adapter.r * (inputs + outputs) * count));

/**
 * nf4 and fp4: half a byte, and a 32 bit scale for 64 weights; quantised twice: 8 bits for 64, and 32 bits for 256 of
 * these (Dettmers et al. 2023, arXiv 2305.14314, section 3). int8: a byte, and a 32 bit scale a row (arXiv 2208.07339).
 * Embedding, head and norms are not quantised.
 */
export function baseBytes(run: Run, facts: ModelFacts, { weightBytes }: Choices): number {
  const inLinears = weightsOf(facts.linears);
  const rest = (facts.parameters - inLinears) * weightBytes;
  const rows = sum(facts.linears.map(({ outputs, count }) => outputs * count));
  if (run.quantization === null) return facts.parameters * weightBytes;
  if (run.quantization.bits === 8) return rest + inLinears + rows * FLOAT;
  const scale = run.quantization.double ? 1 / 64 + FLOAT / (64 * 256) : FLOAT / 64;
  return rest + inLinears * (0.5 + scale);
}

/**
 * Bytes of optimizer state for an adapter weight: AdamW keeps two moments (Loshchilov and Hutter, arXiv 1711.05101), in
 * 8 bits with a 32 bit scale for 256 of each (arXiv 2110.02861); Adafactor a row and a column (arXiv 1804.04235); SGD
 * without momentum nothing.
 */
const stateBytes: Record<Run['training']['optimizer'], number> = {
  adamw_torch: 2 * FLOAT,
  adamw_torch_fused: 2 * FLOAT,
  adamw_8bit: 2 * (1 + FLOAT / 256),
  paged_adamw_8bit: 2 * (1 + FLOAT / 256),
  paged_adamw_32bit: 2 * FLOAT,
  adafactor: 0.1,
  sgd: 0,
};
export const optimizerBytes = (run: Run, trainable: number): number => stateBytes[run.training.optimizer] * trainable;

/** Gradients in 32 bits; several processes exchange them through buckets of the same size. */
export const gradientBytes = (run: Run, trainable: number): number =>
  trainable * FLOAT * (run.hardware.processes > 1 ? 2 : 1);

const MATRIX_INPUTS: [string, RegExp][] = [
  ['attention', /(q|k|v|qkv)_proj$|query_key_value$|c_attn$/],
  ['mlp', /(gate|up|gate_up)_proj$|c_fc$|h_to_4h$/],
];

/** Matrices of a layer that read the same input: without dropout and casts they keep it once. */
const inputOf = (name: string): string => MATRIX_INPUTS.find(([, form]) => form.test(name))?.[0] ?? name;

/**
 * What the adapters of a layer keep for a token. Each casts its input to its own type, and its dropout keeps a mask
 * (a byte on a GPU, a float on a CPU) and the thinned input. A frozen matrix itself keeps nothing.
 */
function adapterInputBytes(run: Run, targets: Linear[], layers: number, choices: Choices): number {
  const thinned = run.adapter.dropout > 0;
  const mask = choices.device === 'gpu' ? 1 : FLOAT;
  const own = thinned || choices.autocast;
  const inputs = targets.map((target) => ({
    ...target,
    key: `${target.name.replace(/[^.]+$/, '')}${inputOf(target.name)}`,
  }));
  const kept = own ? inputs : [...new Map(inputs.map((target) => [target.key, target])).values()];
  const wide = sum(kept.map((target) => target.inputs * target.count)) / layers;
  const low = (sum(targets.map(({ count }) => count)) / layers) * run.adapter.r;
  return wide * (choices.valueBytes + (thinned ? mask : 0)) + low * choices.valueBytes;
}

/** Whether rows of different length meet in a batch, so that attention is told by a mask where each ends. */
export const isMasked = (run: Run, { attention, paddingFree }: Choices): boolean =>
  attention === 'sdpa' && !paddingFree && rowsAtOnce(run) > 1 && run.data.packing !== true;

/** What attention keeps for a token and head: a row of scores where no kernel fuses them, else only their sum. */
function scoreBytes(run: Run, { attentionDropout }: ModelFacts, { attention, autocast, device, valueBytes }: Choices) {
  const row = run.data.max_length;
  if (attention === 'eager') return row * (valueBytes + (autocast ? FLOAT : 0));
  // A CPU has no fused kernel with dropout: scores, mask and product are kept.
  return attentionDropout > 0 && device === 'cpu' ? 3 * row * FLOAT : FLOAT;
}

/**
 * Bytes that one layer keeps for a token until the backward pass. The terms are those of Korthikanti et al. 2022
 * (arXiv 2205.05198, section 4.1), for a frozen base: norms keep their input in 32 bits; attention keeps query, key,
 * value, result and, without a fused kernel, a row of scores; the MLP what its activation function needs.
 */
export function layerBytes(run: Run, facts: ModelFacts, targets: Linear[], choices: Choices): number {
  const { hidden, heads, headSize, keyValueHeads, normsPerLayer, activationCopies, intermediate, layers } = facts;
  const query = heads * headSize;
  // The kernels of a GPU read shared keys in place, but with a mask; else they are repeated for each head.
  const isRepeated = choices.attention === 'eager' || isMasked(run, choices) || choices.device === 'cpu';
  const keys = isRepeated ? query : keyValueHeads * headSize;
  const scores = heads * scoreBytes(run, facts, choices);
  const attention = (2 * query + 2 * keys) * choices.valueBytes + scores;
  const mlp = activationCopies * intermediate * choices.valueBytes;
  return normsPerLayer * hidden * FLOAT + attention + mlp + adapterInputBytes(run, targets, layers, choices);
}

/** Gradients on their way through one layer: of the MLP's inner values, and of its input and output. */
export const workingBytes = ({ hidden, intermediate, gated }: ModelFacts, { valueBytes }: Choices): number =>
  ((gated ? 4 : 2) * intermediate + 4 * hidden) * valueBytes;

const TILE_TOKENS = 4096;
const TILE_VOCABULARY = 32_768;
/** Copies of a tile in 32 bits that the steps of the loss hold at once where no kernel fuses them. */
const TILE_COPIES_ON_CPU = 7;

/**
 * The head is never computed for all tokens and words at once: TRL goes through tiles of 4096 tokens and 32768 words,
 * forward and backward (trl.kernels.chunked_logprob, release 1.16). Its gradient is summed in 32 bits.
 */
export function logitsBytes(tokens: number, { hidden, vocabulary }: ModelFacts, choices: Choices): number {
  const rows = Math.min(tokens, TILE_TOKENS);
  const words = Math.min(vocabulary, TILE_VOCABULARY);
  const cast = choices.weightBytes === choices.valueBytes ? 0 : words * hidden * choices.valueBytes;
  const gradient = tokens * hidden * (FLOAT + choices.valueBytes);
  const tile =
    choices.device === 'gpu'
      ? rows * TILE_VOCABULARY * choices.valueBytes
      : rows * words * (choices.valueBytes + TILE_COPIES_ON_CPU * FLOAT);
  return tile + gradient + cast;
}

const MIB = 1024 * 1024;
/** Context, libraries and workspaces of CUDA; Python with torch, transformers, PEFT and TRL (measured). */
const PROGRAM_BYTES = { gpu: 600 * MIB, cpu: 880 * MIB };
/** glibc gives larger blocks back at once (mallopt(3), M_MMAP_THRESHOLD: the dynamic one ends at 32 MiB). */
const LARGEST_KEPT_BLOCK = 32 * MIB;
/** Share of what the layers use that stays in holes of the heap (measured: 0.5 to 0.6). */
const HEAP_WASTE = 0.55;

/** What a process needs beside its tensors. `layersBytes`: what all layers together use without checkpointing. */
export function overheadBytes(run: Run, facts: ModelFacts, layersBytes: number, choices: Choices): number {
  if (choices.device === 'gpu') return PROGRAM_BYTES.gpu;
  const block = rowsAtOnce(run) * run.data.max_length * facts.intermediate * choices.valueBytes;
  const heap = block < LARGEST_KEPT_BLOCK ? HEAP_WASTE * layersBytes : 0;
  // Weights are read in 32 bits before they are quantised, and their memory stays with the process.
  const read = run.quantization === null ? 0 : weightsOf(facts.linears) * FLOAT;
  return PROGRAM_BYTES.cpu + heap + read;
}
