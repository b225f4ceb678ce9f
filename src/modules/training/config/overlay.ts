import { keys, type KeyName, type Values } from './config-keys.js';
import type { Findings } from './findings.js';
import type { ReadKeys } from './read-keys.js';

/** Values that count instead of the file's. */
export interface Overlay {
  values: Partial<Values>;
  /** Rows of one optimizer step, cut into micro-batches that the file's batch_size allows. */
  rowsAStep?: number | undefined;
  /** At least so many checkpoints are kept while training. */
  keptCheckpoints?: number | undefined;
}

/** The largest part of `rows`, at most `most`, that divides it. */
export function microBatch(rows: number, most: number): number {
  for (let size = Math.min(rows, most); size > 1; size -= 1) if (rows % size === 0) return size;
  return 1;
}

function rowsOf({ values }: ReadKeys, { rowsAStep }: Overlay, processes: number): Partial<Values> {
  if (rowsAStep === undefined) return {};
  const rows = Math.max(1, Math.round(rowsAStep / processes));
  const batch = microBatch(rows, values['training.batch_size']);
  return {
    'training.batch_size': batch,
    'training.eval_batch_size': values['training.eval_batch_size'] ?? values['training.batch_size'],
    'training.gradient_accumulation_steps': rows / batch,
  };
}

function keptOf({ values }: ReadKeys, { keptCheckpoints }: Overlay): Partial<Values> {
  const limit = values['training.save_total_limit'];
  if (keptCheckpoints === undefined || limit === null) return {};
  return { 'training.save_total_limit': Math.max(limit, keptCheckpoints) };
}

/** The keys with the overlay's values in place of the file's; what a key would refuse is refused by its name. Pure. */
export function overlaid(read: ReadKeys, overlay: Overlay, processes: number, findings: Findings): ReadKeys {
  if (overlay.rowsAStep !== undefined && !(Number.isInteger(overlay.rowsAStep) && overlay.rowsAStep >= 1))
    findings.refuse('training.batch_size', `${overlay.rowsAStep} is not a whole number of at least 1`);
  const given = Object.entries(overlay.values).filter(([, value]) => value !== undefined);
  for (const [name, value] of given) {
    const reading = keys[name as KeyName].kind.read(value);
    if ('problem' in reading) findings.refuse(name, reading.problem);
  }
  const named = Object.fromEntries(given) as Partial<Values>;
  const over = { ...named, ...rowsOf(read, overlay, processes), ...keptOf(read, overlay) };
  return {
    values: { ...read.values, ...over },
    where: (key) => (Object.hasOwn(over, key) ? key : read.where(key)),
    hasSection: (name) => read.hasSection(name),
  };
}
