import type { LoraConfig } from './adapter-config.js';
import { checkShapes } from './adapter-shapes.js';
import type { Tensor } from './safetensors.js';

const lora: LoraConfig = {
  base: 'x',
  revision: null,
  r: 4,
  rank: 4,
  rankPattern: {},
  transposed: false,
  dora: false,
};
const tensor = (...shape: number[]): Tensor => ({ dtype: 'F32', shape });
const base = {
  slug: 'tiny',
  tensors: new Map([
    ['model.layers.0.self_attn.q_proj.weight', tensor(32, 16)],
    ['model.embed_tokens.weight', tensor(100, 16)],
    ['h.0.c_attn.weight', tensor(16, 48)],
    ['model.layers.0.quantised.weight', { dtype: 'U8', shape: [256, 1] }],
  ]),
};
const q = 'base_model.model.model.layers.0.self_attn.q_proj';
const pair = (name: string, a: Tensor, b: Tensor) => ({ [`${name}.lora_A.weight`]: a, [`${name}.lora_B.weight`]: b });

describe('the shapes of an adapter', () => {
  const check = (tensors: Record<string, Tensor>, config: Partial<LoraConfig> = {}) =>
    checkShapes(new Map(Object.entries(tensors)), { ...lora, ...config }, base);

  it('fit their base', () => {
    expect(() => check(pair(q, tensor(4, 16), tensor(32, 4)))).not.toThrow();
  });
  it('may differ in rank where the configuration says so', () => {
    const tensors = pair(q, tensor(2, 16), tensor(32, 2));
    expect(() => check(tensors)).toThrow(/A \[2, 16\] and B \[32, 2\].*rank 4/);
    expect(() => check(tensors, { rankPattern: { q_proj: 2 } })).not.toThrow();
  });
  it('fit layers whose weights are stored the other way round', () => {
    const tensors = pair('base_model.model.h.0.c_attn', tensor(4, 16), tensor(48, 4));
    expect(() => check(tensors, { transposed: true })).not.toThrow();
    expect(() => check(tensors)).toThrow(/from 16 to 48, in the base from 48 to 16/);
  });
  it('fit a head that is tied to the embedding', () => {
    expect(() => check(pair('base_model.model.lm_head', tensor(4, 16), tensor(100, 4)))).not.toThrow();
  });
  it('are believed where the base is quantised', () => {
    const name = 'base_model.model.model.layers.0.quantised';
    expect(() => check(pair(name, tensor(4, 16), tensor(32, 4)))).not.toThrow();
  });

  it.each([
    [
      'of another base',
      pair(q, tensor(4, 64), tensor(32, 4)),
      /from 64 to 32, in the base from 16 to 32.*another base/,
    ],
    ['of a layer that is not there', pair(`${q}x`, tensor(4, 16), tensor(32, 4)), /has no layer .*q_projx/],
    ['without B', { [`${q}.lora_A.weight`]: tensor(4, 16) }, /A without B/],
    ['without A', { [`${q}.lora_B.weight`]: tensor(32, 4) }, /B without A/],
    ['of a whole layer', { 'base_model.model.lm_head.weight': tensor(100, 16) }, /no part of a LoRA/],
    ['of a DoRA that is none', { [`${q}.lora_magnitude_vector.weight`]: tensor(32) }, /no part of a LoRA/],
    ['of integers', pair(q, { dtype: 'I8', shape: [4, 16] }, tensor(32, 4)), /type I8/],
    ['that are none', {}, /holds no tensors/],
    ['of three sides', pair(q, tensor(4, 16, 1), tensor(32, 4)), /not the rank/],
  ])('are refused: %s', (_, tensors, why) => expect(() => check(tensors as Record<string, Tensor>)).toThrow(why));
});
