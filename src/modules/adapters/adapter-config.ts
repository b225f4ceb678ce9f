import { NoAdapter } from './adapter-folder.js';

/** What a PEFT configuration says that matters here. */
export interface LoraConfig {
  base: string | null;
  revision: string | null;
  /** The largest rank of any layer. */
  rank: number;
  /** Rank of most layers. */
  r: number;
  rankPattern: Record<string, number>;
  transposed: boolean;
  dora: boolean;
}

/** Options that need more of an engine than A and B of the layers. */
const unsupported: [string, string][] = [
  ['modules_to_save', 'carries whole layers of its own (modules_to_save); train it without them'],
  ['layer_replication', 'repeats layers of its base (layer_replication); engines do not'],
  ['trainable_token_indices', 'changes single tokens (trainable_token_indices); train it without them'],
  ['target_parameters', 'changes parameters that are no layers (target_parameters); train it without them'],
  ['alora_invocation_tokens', 'is an activated LoRA (alora_invocation_tokens); engines here take plain LoRA'],
];
/** Their training changes the base itself, so that A and B alone do not do. */
const CHANGES_BASE = /^(pissa|olora|corda|loftq|eva_base)/i;

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || value === false || (Array.isArray(value) && value.length === 0);

const isRank = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

const text = (value: unknown): string | null => (typeof value === 'string' && value.trim() !== '' ? value : null);

/** Reads adapter_config.json; pure. @throws NoAdapter for anything but a LoRA with a rank */
export function loraConfigOf(config: Readonly<Record<string, unknown>>): LoraConfig {
  const type = config['peft_type'];
  if (type !== 'LORA')
    throw new NoAdapter(
      `adapter_config.json: peft_type is ${JSON.stringify(type ?? null)}; only LORA adapters are served`,
    );
  return { ...ranksOf(config), ...originOf(config) };
}

/** Refuses what engines would not take, or would take for something else. @throws NoAdapter saying what to do */
export function checkPlain(config: Readonly<Record<string, unknown>>): void {
  for (const [name, words] of unsupported)
    if (!isEmpty(config[name])) throw new NoAdapter(`adapter_config.json: the adapter ${words}`);
  const bias = config['bias'] ?? 'none';
  if (bias !== 'none')
    throw new NoAdapter(`adapter_config.json: bias is ${JSON.stringify(bias)}; engines take adapters with bias "none"`);
  const init = config['init_lora_weights'];
  if (typeof init === 'string' && CHANGES_BASE.test(init))
    throw new NoAdapter(
      `adapter_config.json: init_lora_weights is "${init}", which changes the base; save it with path_initial_model_for_weight_conversion`,
    );
}

function ranksOf(config: Readonly<Record<string, unknown>>): Pick<LoraConfig, 'r' | 'rank' | 'rankPattern'> {
  const { r } = config;
  if (!isRank(r)) throw new NoAdapter(`adapter_config.json: r is ${JSON.stringify(r ?? null)}; it is the rank, from 1`);
  const pattern = Object.entries((config['rank_pattern'] ?? {}) as Record<string, unknown>);
  const wrong = pattern.find(([, rank]) => !isRank(rank));
  if (wrong) throw new NoAdapter(`adapter_config.json: rank_pattern of ${wrong[0]} is no rank`);
  const rankPattern = Object.fromEntries(pattern) as Record<string, number>;
  return { r, rankPattern, rank: Math.max(r, ...Object.values(rankPattern)) };
}

const originOf = (config: Readonly<Record<string, unknown>>) => ({
  base: text(config['base_model_name_or_path']),
  revision: text(config['revision']),
  transposed: config['fan_in_fan_out'] === true,
  dora: config['use_dora'] === true,
});
