import { models } from '../../../../test/fixtures/configs/models.js';
import { Workplace } from '../../../../test/fixtures/configs/workplace.js';
import type { TrainerType } from '../job-state.js';
import { estimateJob } from './estimate-job.js';
import { estimateMemory, type MemoryPlace } from './estimate-memory.js';
import type { Run } from './memory-formulas.js';
import { readModelFacts } from './model-facts.js';
import { shapeOf, type ModelFacts } from './model-shape.js';

const GIB = 1024 ** 3;
const gpu: MemoryPlace = { device: 'gpu', bf16: true, available_bytes: 80 * GIB };
const none = new Map<string, number[]>();

function facts(name: keyof typeof models): ModelFacts {
  const found = shapeOf(models[name].config, none);
  if (found === undefined) throw new Error(`no facts of ${name}`);
  return found;
}

let place: Workplace;
beforeAll(async () => {
  place = await Workplace.make();
});
afterAll(() => place.remove());

const run = async (yaml: string, type: TrainerType = 'lora'): Promise<Run> =>
  (await place.resolve(yaml, { type, machine: { gpus: 1, bf16: true, cores: 4 } })).config.run;
const estimate = async (yaml: string, type: TrainerType = 'lora', where = gpu) =>
  estimateMemory(await run(yaml, type), facts('llama-2-7b'), where);
const total = async (yaml: string, type: TrainerType = 'lora') => (await estimate(yaml, type)).bytes.total;

test.each(Object.entries(models))('%s has the parameters it is known to have', (name, { parameters }) => {
  // Biases are left out: less than a thousandth.
  expect(facts(name as keyof typeof models).parameters / parameters).toBeCloseTo(1, 2);
});

test('an adapter of rank 16 on all matrices of Llama 2 7B has 40 million parameters', async () => {
  expect((await estimate('lora: {r: 16}')).trainable_parameters).toBe(39_976_960);
  expect((await estimate('lora: {r: 8, target_modules: [q_proj, v_proj]}')).trainable_parameters).toBe(4_194_304);
  expect((await estimate('lora: {target_modules: [c_attn]}')).notes).toContain(
    'none of lora.target_modules is in this model; all-linear fits every model',
  );
});

test('the parts make the total', async () => {
  const { bytes } = await estimate('{}');
  const { total: all, ...parts } = bytes;
  expect(Object.values(parts).reduce((a, b) => a + b, 0)).toBe(all);
  expect(Object.values(bytes).every((value) => Number.isInteger(value) && value >= 0)).toBe(true);
});

test('the base is held in the type that is asked for', async () => {
  const base = async (yaml: string, type: TrainerType = 'lora') =>
    (await estimate(yaml, type)).bytes.base_model / 6.738e9;
  expect(await base('{}')).toBeCloseTo(2, 2);
  expect(await base('model: {torch_dtype: float32}')).toBeCloseTo(4, 2);
  expect(await base('qlora: {quant_type: int8}', 'qlora')).toBeGreaterThan(1);
  expect(await base('qlora: {quant_type: int8}', 'qlora')).toBeLessThan(1.1);
  expect(await base('{}', 'qlora')).toBeLessThan(0.6);
  expect(await base('qlora: {double_quant: false}', 'qlora')).toBeGreaterThan(await base('{}', 'qlora'));
});

test.each([
  ['a larger batch', 'training: {batch_size: 2}', 'training: {batch_size: 8}'],
  [
    'longer rows',
    'data: {max_length: 256}\ntraining: {gradient_checkpointing: true}',
    'data: {max_length: 2048}\ntraining: {gradient_checkpointing: true}',
  ],
  ['a higher rank', 'lora: {r: 8}', 'lora: {r: 512}'],
  ['more targets', 'lora: {target_modules: [q_proj]}', '{}'],
  ['no checkpointing', 'training: {gradient_checkpointing: true}', 'training: {gradient_checkpointing: false}'],
  [
    'attention without a fused kernel',
    'model: {use_flash_attention: true}',
    'optimization: {attention_implementation: eager}',
  ],
  ['a larger optimizer', 'lora: {r: 512}\ntraining: {optim: adamw_8bit}', 'lora: {r: 512}'],
  ['no optimizer state', 'lora: {r: 512}\ntraining: {optim: sgd}', 'lora: {r: 512}\ntraining: {optim: adafactor}'],
])('%s needs more', async (_name, less, more) => {
  expect(await total(less)).toBeLessThan(await total(more));
});

test('the layers are computed again only where the GPU has no room to keep what is in them', async () => {
  const config = await run('{}');
  const [note, roomy, narrow] = ['with gradient checkpointing', 80, 24];
  const estimated = (gib: number | null, wish: boolean | 'auto' = 'auto') =>
    estimateMemory({ ...config, training: { ...config.training, gradient_checkpointing: wish } }, facts('llama-2-7b'), {
      ...gpu,
      available_bytes: gib === null ? null : gib * GIB,
    });
  expect(estimated(roomy).notes).not.toContain(note);
  expect(estimated(roomy).bytes).toEqual(estimated(roomy, false).bytes);
  for (const where of [narrow, null]) expect(estimated(where).notes).toContain(note);
  expect(estimated(narrow).bytes).toEqual(estimated(narrow, true).bytes);
  expect(estimated(roomy, true).notes).toContain(note);
});

test('rows that stand one after another need no mask', async () => {
  const activations = async (yaml: string) => (await estimate(yaml)).bytes.activations;
  const whole = 'training: {gradient_checkpointing: false}';
  expect(await activations(whole)).toBeLessThan(
    await activations(`${whole}\noptimization: {attention_implementation: sdpa}`),
  );
});

test('accumulation costs nothing', async () => {
  expect(await total('training: {gradient_accumulation_steps: 64}')).toBe(await total('{}'));
});

test('the verdict compares with what there is', async () => {
  const config = await run('{}');
  const estimated = (available_bytes: number | null) =>
    estimateMemory(config, facts('llama-2-7b'), { ...gpu, available_bytes });
  const needed = estimated(null).bytes.total;
  expect([null, needed - 1, needed, needed * 2].map((bytes) => estimated(bytes).fits.verdict)).toEqual([
    'unknown',
    'does_not_fit',
    'tight',
    'fits',
  ]);
});

test('all processes share the memory of a machine without a GPU', async () => {
  const cpu = { device: 'cpu' as const, bf16: false, available_bytes: 0 };
  const config = await run('{}');
  const one = estimateMemory(config, facts('gpt2'), cpu).bytes.total;
  const two = { ...config, hardware: { ...config.hardware, processes: 2 } };
  const verdict = (available_bytes: number) =>
    estimateMemory(two, facts('gpt2'), { ...cpu, available_bytes }).fits.verdict;
  expect(verdict(one * 1.5)).toBe('does_not_fit');
  expect(verdict(one * 3)).toBe('fits');
});

describe('a model folder', () => {
  const safetensors = (tensors: Record<string, number[]>): Buffer => {
    const entries = Object.entries(tensors).map(([name, shape]) => [
      name,
      { dtype: 'BF16', shape, data_offsets: [0, 0] },
    ]);
    const header = Buffer.from(JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) }));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    return Buffer.concat([length, header]);
  };
  const layer = (index: number) => ({
    [`model.layers.${index}.self_attn.q_proj.weight`]: [64, 64],
    [`model.layers.${index}.mlp.gate_proj.weight`]: [256, 64],
    [`model.layers.${index}.mlp.down_proj.weight`]: [64, 256],
    [`model.layers.${index}.input_layernorm.weight`]: [64],
  });

  test('is counted from the headers of its weights, over all parts', async () => {
    await place.write('models/m/config.json', '{"model_type": "llama", "num_attention_heads": 4}');
    await place.write(
      'models/m/model-1.safetensors',
      safetensors({ 'model.embed_tokens.weight': [100, 64], ...layer(0) }),
    );
    await place.write('models/m/model-2.safetensors', safetensors({ 'lm_head.weight': [100, 64], ...layer(1) }));
    expect(await readModelFacts(place.at('models/m'))).toMatchObject({
      source: 'counted',
      parameters: 2 * (100 * 64 + 64 * 64 + 2 * 256 * 64 + 64),
      hidden: 64,
      layers: 2,
      vocabulary: 100,
      intermediate: 256,
      normsPerLayer: 1,
      gated: true,
    });
  });

  test('of an unknown family is understood by its weights', async () => {
    await place.write('models/odd/config.json', '{"model_type": "brand_new"}');
    await place.write(
      'models/odd/model.safetensors',
      safetensors({ 'model.embed_tokens.weight': [100, 64], ...layer(0), ...layer(1) }),
    );
    expect(await readModelFacts(place.at('models/odd'))).toMatchObject({ hidden: 64, layers: 2, intermediate: 256 });
  });

  test.each([
    ['nothing', {}],
    ['no JSON', { 'config.json': '{' }],
    ['an unknown family without weights', { 'config.json': '{"model_type": "brand_new", "hidden_size": 64}' }],
    ['broken weights', { 'config.json': '{"model_type": "brand_new"}', 'model.safetensors': 'xx' }],
    ['a header that claims to be huge', { 'config.json': '{}', 'model.safetensors': Buffer.alloc(16, 0xff) }],
  ])('with %s has no facts', async (name, files) => {
    for (const [file, content] of Object.entries(files)) await place.write(`models/${name}/${file}`, content);
    expect(await readModelFacts(place.at(`models/${name}`))).toBeUndefined();
  });

  test('that is not here is said to be so', async () => {
    const config = (await place.resolve('model: {name: LeoLM/leo-hessianai-7b}')).config;
    expect(await estimateJob(config, undefined, gpu)).toEqual({
      reason: 'LeoLM/leo-hessianai-7b is on the hub and not on this machine; put it into a folder of CLARA_MODEL_DIRS',
    });
    const byDefault = (await place.resolve('{}')).config;
    expect(await estimateJob(byDefault, undefined, gpu)).toHaveProperty('reason');
    expect(await estimateJob(byDefault, place.at('models/m'), gpu)).toHaveProperty('bytes');
  });

  test('with a language model inside a model for several media', () => {
    const whole = { model_type: 'gemma3', text_config: { ...models['gemma-2b'].config, model_type: 'gemma3_text' } };
    expect(shapeOf(whole, none)?.hidden).toBe(2048);
  });
});
