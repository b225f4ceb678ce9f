import { GGUF_LAYERS } from '../../../kernel/gguf-layer-names.js';
import type { Matrix } from './gguf-file.js';
import { NotConvertible } from './peft-weights.js';

/** What the metadata of a GGUF base say of its layers. */
export interface GgufBase {
  /** `general.architecture` */
  architecture: string;
  /** `<architecture>.attention.head_count` */
  heads: number;
  /** `<architecture>.attention.head_count_kv` */
  kvHeads: number;
}

/** Those whose layers need no more than new names, and Llama, whose q and k need another order. */
const ARCHITECTURES = ['llama', 'gemma', 'gemma2', 'gemma3', 'qwen2', 'qwen3'];

/** @throws NotConvertible */
export function checkArchitecture({ architecture }: GgufBase): void {
  if (ARCHITECTURES.includes(architecture)) return;
  throw new NotConvertible(
    `adapters of a base of the architecture ${architecture} cannot be converted; ${ARCHITECTURES.join(', ')} can`,
  );
}

/** The weight that a layer of transformers is called in GGUF. @throws NotConvertible */
export function weightName(layer: string): string {
  const [, block, part = ''] = /(?:^|\.)layers\.(\d+)\.(.+)$/.exec(layer) ?? [];
  const name = GGUF_LAYERS[part];
  if (block !== undefined && name !== undefined) return `blk.${block}.${name}.weight`;
  if (/(?:^|\.)lm_head$/.test(layer)) return 'output.weight';
  throw new NotConvertible(`the layer ${layer} has no name in GGUF`);
}

/** The rows of B in the order of the base's file. */
export function ordered(layer: string, b: Matrix, { architecture, heads, kvHeads }: GgufBase): Matrix {
  if (architecture !== 'llama') return b;
  if (layer.endsWith('.q_proj')) return permuted(b, heads);
  return layer.endsWith('.k_proj') ? permuted(b, kvHeads) : b;
}

/** Llama's rotary halves: transformers puts them one after the other, llama.cpp side by side. */
function permuted({ rows, columns, values }: Matrix, heads: number): Matrix {
  const perHead = rows / heads;
  const half = perHead / 2;
  if (!Number.isInteger(half)) throw new NotConvertible(`${rows} rows are not of ${heads} heads`);
  const moved = new Float32Array(values.length);
  for (let to = 0; to < rows; to += 1) {
    const within = to % perHead;
    const from = to - within + (within % 2) * half + Math.floor(within / 2);
    moved.set(values.subarray(from * columns, (from + 1) * columns), to * columns);
  }
  return { rows, columns, values: moved };
}
