/** Names and shapes of a model's tensors, as its weights list them. */
export type Tensors = ReadonlyMap<string, number[]>;

/** A matrix that inputs are multiplied with, once a layer or in all. */
export interface Linear {
  /** Full name where the weights are known, else the last part. */
  name: string;
  inputs: number;
  outputs: number;
  /** How many of this name and shape the model has. */
  count: number;
}

/** What the memory of a training depends on. */
export interface ModelFacts {
  hidden: number;
  intermediate: number;
  layers: number;
  heads: number;
  keyValueHeads: number;
  headSize: number;
  vocabulary: number;
  /** Two matrices and their product before the last one of the MLP, as SwiGLU has it. */
  gated: boolean;
  /** Values that the activation function keeps, in multiples of the intermediate size. */
  activationCopies: number;
  normsPerLayer: number;
  /** Share of the attention scores that is left out while training. */
  attentionDropout: number;
  /** The matrices of the layers, without embedding and head. */
  linears: Linear[];
  parameters: number;
  /** counted: from the weights themselves; computed: from config.json. */
  source: 'counted' | 'computed';
}

type Config = Record<string, unknown>;

interface Family {
  gated: boolean;
  tied: boolean;
  /** The matrices of a layer; sizes are looked up by name. */
  linears: [name: string, inputs: Size, outputs: Size][];
  norms: number;
}
type Size = 'hidden' | 'attention' | 'keyValue' | 'intermediate' | 'fusedAttention' | 'fusedGate' | 'tripleHidden';

const SPLIT: Family['linears'] = [
  ['q_proj', 'hidden', 'attention'],
  ['k_proj', 'hidden', 'keyValue'],
  ['v_proj', 'hidden', 'keyValue'],
  ['o_proj', 'attention', 'hidden'],
  ['gate_proj', 'hidden', 'intermediate'],
  ['up_proj', 'hidden', 'intermediate'],
  ['down_proj', 'intermediate', 'hidden'],
];
const llama: Family = { gated: true, tied: false, linears: SPLIT, norms: 2 };
const gemma: Family = { ...llama, tied: true };
const falcon: Family = {
  gated: false,
  tied: true,
  norms: 2,
  linears: [
    ['query_key_value', 'hidden', 'fusedAttention'],
    ['dense', 'attention', 'hidden'],
    ['dense_h_to_4h', 'hidden', 'intermediate'],
    ['dense_4h_to_h', 'intermediate', 'hidden'],
  ],
};
const families: Record<string, Family> = {
  ...Object.fromEntries(['llama', 'mistral', 'qwen2', 'qwen3', 'granite', 'smollm3'].map((name) => [name, llama])),
  ...Object.fromEntries(['gemma', 'gemma2', 'gemma3_text', 'gemma3'].map((name) => [name, gemma])),
  phi3: {
    ...llama,
    linears: [
      ['qkv_proj', 'hidden', 'fusedAttention'],
      ['o_proj', 'attention', 'hidden'],
      ['gate_up_proj', 'hidden', 'fusedGate'],
      ['down_proj', 'intermediate', 'hidden'],
    ],
  },
  gpt2: {
    gated: false,
    tied: true,
    norms: 2,
    linears: [
      ['c_attn', 'hidden', 'tripleHidden'],
      ['attn.c_proj', 'hidden', 'hidden'],
      ['c_fc', 'hidden', 'intermediate'],
      ['mlp.c_proj', 'intermediate', 'hidden'],
    ],
  },
  falcon,
  gpt_neox: { ...falcon, tied: false },
};

const firstNumber = (config: Config, names: string[]): number | undefined =>
  names.map((name) => config[name]).find((value) => typeof value === 'number' && value > 0) as number | undefined;

const product = (shape: number[]): number => shape.reduce((all, size) => all * size, 1);
const sum = (values: number[]): number => values.reduce((all, value) => all + value, 0);
const largest = (values: number[]): number | undefined => (values.length === 0 ? undefined : Math.max(...values));

const LAYER = /\.(?:layers|h|blocks|block)\.(\d+)\./;
const EMBEDDING = /(embed_tokens|wte|word_embeddings|embed_in|wpe|lm_head|embed_out)\.weight$/;

/** The matrices that stand in layers, full names kept: what an adapter can be put on. */
function countedLinears(tensors: Tensors): Linear[] {
  return [...tensors].flatMap(([name, shape]) => {
    const [outputs, inputs] = shape;
    const isMatrix = shape.length === 2 && name.endsWith('.weight') && !EMBEDDING.test(name);
    if (!isMatrix || outputs === undefined || inputs === undefined) return [];
    return [{ name: name.slice(0, -'.weight'.length), inputs, outputs, count: 1 }];
  });
}

/** What config.json does not say in known words, read off the weights. */
function seenIn(tensors: Tensors): Partial<Record<'hidden' | 'layers' | 'vocabulary' | 'intermediate', number>> {
  const embedding = [...tensors].find(([name]) => /(embed_tokens|wte|word_embeddings|embed_in)\.weight$/.test(name));
  const [vocabulary, hidden] = embedding?.[1] ?? [];
  const numbers = [...tensors.keys()].flatMap((name) => LAYER.exec(`.${name}`)?.[1] ?? []).map(Number);
  const last = largest(numbers);
  const widths = countedLinears(tensors).flatMap(({ inputs, outputs }) => [inputs, outputs]);
  return {
    ...(hidden === undefined || vocabulary === undefined ? {} : { hidden, vocabulary }),
    ...(last === undefined ? {} : { layers: last + 1 }),
    ...(widths.length === 0 ? {} : { intermediate: Math.max(...widths) }),
  };
}

function sizesOf(config: Config, tensors: Tensors) {
  const seen = seenIn(tensors);
  const hidden = firstNumber(config, ['hidden_size', 'n_embd', 'd_model', 'dim']) ?? seen.hidden;
  const layers = firstNumber(config, ['num_hidden_layers', 'n_layer', 'n_layers', 'num_layers']) ?? seen.layers;
  const vocabulary = firstNumber(config, ['vocab_size']) ?? seen.vocabulary;
  if (hidden === undefined || layers === undefined || vocabulary === undefined) return undefined;
  const heads =
    firstNumber(config, ['num_attention_heads', 'n_head', 'n_heads']) ?? Math.max(1, Math.round(hidden / 64));
  const keyValueHeads =
    config['multi_query'] === true ? 1 : firstNumber(config, ['num_key_value_heads', 'num_kv_heads']);
  const inner = ['intermediate_size', 'n_inner', 'ffn_hidden_size', 'ffn_dim'];
  return {
    hidden,
    layers,
    vocabulary,
    heads,
    keyValueHeads: keyValueHeads ?? heads,
    headSize: firstNumber(config, ['head_dim']) ?? hidden / heads,
    intermediate: firstNumber(config, inner) ?? seen.intermediate ?? 4 * hidden,
    attentionDropout: firstNumber(config, ['attention_dropout', 'attn_pdrop']) ?? 0,
  };
}
type Sizes = NonNullable<ReturnType<typeof sizesOf>>;

function computedLinears(family: Family, sizes: Sizes): Linear[] {
  const attention = sizes.heads * sizes.headSize;
  const keyValue = sizes.keyValueHeads * sizes.headSize;
  const size: Record<Size, number> = {
    hidden: sizes.hidden,
    attention,
    keyValue,
    intermediate: sizes.intermediate,
    fusedAttention: attention + 2 * keyValue,
    fusedGate: 2 * sizes.intermediate,
    tripleHidden: 3 * sizes.hidden,
  };
  return family.linears.map(([name, inputs, outputs]) => ({
    name,
    inputs: size[inputs],
    outputs: size[outputs],
    count: sizes.layers,
  }));
}

/** Weights of the matrices, the norms, and the embedding, which is also the head where the two are tied. */
function computedParameters(config: Config, family: Family, sizes: Sizes, linears: Linear[]): number {
  const tied = typeof config['tie_word_embeddings'] === 'boolean' ? config['tie_word_embeddings'] : family.tied;
  const matrices = sum(linears.map(({ inputs, outputs, count }) => inputs * outputs * count));
  const embeddings = sizes.vocabulary * sizes.hidden * (tied ? 1 : 2);
  const positions = (firstNumber(config, ['n_positions']) ?? 0) * sizes.hidden;
  return matrices + embeddings + positions + (family.norms * sizes.layers + 1) * sizes.hidden;
}

/** How many values a step of the MLP keeps: a gate keeps its input, its output and what it is multiplied with. */
function mlpOf(config: Config, gated: boolean) {
  // Written out in single operations, gelu_new keeps the operands of each.
  const unfused = config['activation_function'] === 'gelu_new' || config['hidden_act'] === 'gelu_new';
  return { gated, activationCopies: gated ? 3 : unfused ? 4 : 1 };
}

const named = (linears: Linear[], form: RegExp): boolean => linears.some(({ name }) => form.test(name));

/** The facts of a model, or undefined where neither its weights nor its config.json are understood. */
export function shapeOf(whole: Config, tensors: Tensors): ModelFacts | undefined {
  // Models for several media keep the language model's part in a section of its own.
  const config = (
    typeof whole['text_config'] === 'object' && whole['text_config'] ? whole['text_config'] : whole
  ) as Config;
  const family = families[String(config['model_type'] ?? whole['model_type'])];
  const sizes = sizesOf(config, tensors);
  if (sizes === undefined) return undefined;
  const counted = countedLinears(tensors);
  if (counted.length > 0) {
    const norms = [...tensors].filter(
      ([name, shape]) => LAYER.test(`.${name}`) && /norm|ln_/i.test(name) && shape.length === 1,
    );
    const weights = norms.filter(([name, [size]]) => name.endsWith('.weight') && size === sizes.hidden);
    return {
      ...sizes,
      ...mlpOf(config, named(counted, /gate(_up)?_proj$/)),
      normsPerLayer: Math.max(1, Math.round(weights.length / sizes.layers)),
      linears: counted,
      parameters: sum([...tensors.values()].map(product)),
      source: 'counted',
    };
  }
  if (family === undefined) return undefined;
  const linears = computedLinears(family, sizes);
  return {
    ...sizes,
    ...mlpOf(config, family.gated),
    normsPerLayer: family.norms,
    linears,
    parameters: computedParameters(config, family, sizes, linears),
    source: 'computed',
  };
}
