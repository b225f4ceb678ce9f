import { readFile, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Adapter } from '../run-contract.generated.js';
import type { Findings } from './findings.js';
import { show } from './key-kinds.js';
import type { ReadKeys } from './read-keys.js';

/** What the folder of an adapter says of itself. */
export interface StartAdapter {
  /** Its real path. */
  path: string;
  /** The base it was made for: a hub id or a folder. */
  base: string;
  r: number;
  alpha: number;
  dropout: number;
  targets: string[];
  bias: Adapter['bias'];
}

const NO_ADAPTER = 'it is no adapter that can be trained further';
const BIASES: readonly unknown[] = ['none', 'all', 'lora_only'];

function adapterOf(path: string, config: Record<string, unknown>): StartAdapter | string {
  const { peft_type: kind, r, lora_alpha: alpha, lora_dropout: dropout, bias } = config;
  const { target_modules: targets, base_model_name_or_path: base, modules_to_save: whole } = config;
  if (kind !== 'LORA') return `${NO_ADAPTER}: its peft_type is ${show(kind)}, not LORA`;
  if (whole !== null && whole !== undefined) return `${NO_ADAPTER}: it has whole layers beside it (modules_to_save)`;
  if (!Number.isInteger(r) || typeof alpha !== 'number' || typeof base !== 'string')
    return `${NO_ADAPTER}: its adapter_config.json names no r, lora_alpha and base_model_name_or_path`;
  return {
    path,
    base,
    r: r as number,
    alpha,
    dropout: typeof dropout === 'number' ? dropout : 0,
    targets: [targets].flat().filter((name) => typeof name === 'string'),
    bias: BIASES.includes(bias) ? (bias as Adapter['bias']) : 'none',
  };
}

/** Reads the adapter that a training goes on from; what is wrong with it is a problem of `start_from`. */
export async function readStartAdapter(folder: string, findings: Findings): Promise<StartAdapter | undefined> {
  const path = await realpath(folder).catch(() => undefined);
  const text = path && (await readFile(join(path, 'adapter_config.json'), 'utf8').catch(() => undefined));
  if (path === undefined || text === undefined || text === '') {
    findings.refuse('start_from', `${basename(folder)} is no adapter folder, or it is gone: no adapter_config.json`);
    return undefined;
  }
  const found = adapterOf(path, parsed(text));
  if (typeof found !== 'string') return found;
  findings.refuse('start_from', `${basename(folder)}: ${found}`);
  return undefined;
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** The keys of the file that the adapter has decided already: another value than its own is refused. */
function conflicts(adapter: StartAdapter, { values }: ReadKeys) {
  const { 'lora.target_modules': wanted } = values;
  const known = wanted === 'all-linear' || adapter.targets.every((name) => wanted.includes(name));
  return [
    ['lora.r', values['lora.r'], adapter.r, values['lora.r'] === adapter.r],
    ['lora.alpha', values['lora.alpha'], adapter.alpha, values['lora.alpha'] === adapter.alpha],
    ['lora.dropout', values['lora.dropout'], adapter.dropout, values['lora.dropout'] === adapter.dropout],
    ['lora.bias', values['lora.bias'], adapter.bias, values['lora.bias'] === adapter.bias],
    ['lora.target_modules', wanted, adapter.targets.join(', '), known],
  ] as const;
}

/** An adapter keeps its rank, scale and targets for life. */
export function refuseConflicts(adapter: StartAdapter, keys: ReadKeys, findings: Findings): void {
  for (const [key, asked, has, same] of conflicts(adapter, keys))
    if (!same && keys.where(key) !== undefined)
      findings.refuse(
        keys.where(key) ?? key,
        `${show(asked)} is not what the adapter of start_from has (${has}), and it keeps that; leave the key out`,
      );
}

/** Its base must be the job's; folders are compared by their names, as the data folder may have moved. */
export function refuseOtherBase(
  adapter: StartAdapter | undefined,
  path: string | undefined,
  keys: ReadKeys,
  findings: Findings,
): void {
  if (adapter === undefined || path === undefined || basename(adapter.base) === basename(path)) return;
  findings.refuse(
    keys.where('model.base_model') ?? 'model.base_model',
    `${show(basename(path))} is not the base that the adapter of start_from was made for (${basename(adapter.base)})`,
  );
}

export const continued = (adapter: StartAdapter): Adapter => ({
  r: adapter.r,
  alpha: adapter.alpha,
  dropout: adapter.dropout,
  target_modules: adapter.targets,
  bias: adapter.bias,
  start_from: adapter.path,
});
