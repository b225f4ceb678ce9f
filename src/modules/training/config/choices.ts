import type { Hardware, Model, Training } from '../run-contract.generated.js';
import type { ConfigContext } from './context.js';
import type { Findings } from './findings.js';
import type { ReadKeys } from './read-keys.js';

/** Values that several keys decide together. `auto` says nothing, so it gives way to a named value. */
function together<T extends string>(first: T | 'auto', second: T | 'auto', clash: () => void): T | 'auto' {
  if (first !== 'auto' && second !== 'auto' && first !== second) clash();
  return first === 'auto' ? second : first;
}

export function precisionOf({ values }: ReadKeys, findings: Findings): Training['precision'] {
  const { 'training.bf16': bf16, 'training.fp16': fp16, 'hardware.mixed_precision': named } = values;
  if (bf16 === true && fp16 === true)
    findings.refuse('training.fp16', 'true goes not with training.bf16: true; keep one of the two');
  const flags = bf16 === true ? 'bf16' : fp16 === true ? 'fp16' : bf16 === false || fp16 === false ? 'fp32' : 'auto';
  return together<'bf16' | 'fp16' | 'fp32'>(flags, named === 'no' ? 'fp32' : named, () =>
    findings.refuse(
      'hardware.mixed_precision',
      `"${named}" differs from ${flags}, which training.bf16 and fp16 ask for`,
    ),
  );
}

export function attentionOf({ values }: ReadKeys, findings: Findings): Model['attention'] {
  const { 'model.use_flash_attention': flash, 'optimization.attention_implementation': named } = values;
  const asked = flash === 'auto' ? 'auto' : flash ? 'flash_attention_2' : 'sdpa';
  return together<Exclude<Model['attention'], 'auto'>>(named, asked, () =>
    findings.refuse(
      'optimization.attention_implementation',
      `"${named}" differs from model.use_flash_attention: ${flash} (${asked}); keep one of the two`,
    ),
  );
}

export function reportTo({ values }: ReadKeys): Training['report_to'] {
  const named = values['training.report_to'];
  return values['wandb.enabled'] && !named.includes('wandb') ? [...named, 'wandb'] : named;
}

/** Code and pickle files that come with a model can do anything, so an operator has to allow them. */
export function checkTrust({ values }: ReadKeys, settings: ConfigContext['settings'], findings: Findings): void {
  const { allowRemoteCode, allowPickle } = settings.training;
  if (values['model.trust_remote_code'] && !allowRemoteCode)
    findings.refuse('model.trust_remote_code', 'true is not allowed here; CLARA_ALLOW_REMOTE_CODE=true allows it');
  if (values['model.allow_pickle'] && !allowPickle)
    findings.refuse('model.allow_pickle', 'true is not allowed here; CLARA_ALLOW_PICKLE=true allows it');
}

export function checkEvaluation({ values, where }: ReadKeys, findings: Findings): void {
  const hasFile = values['data.validation_file'] !== null;
  if (hasFile && where('data.validation_split') !== undefined && values['data.validation_split'] > 0)
    findings.warn('data.validation_split is without effect, as data.validation_file is given');
  if (hasFile || values['data.validation_split'] > 0) return;
  if (values['evaluation.early_stopping'])
    findings.refuse(
      'evaluation.early_stopping',
      'true needs rows to evaluate on; set data.validation_split above 0, or name a data.validation_file',
    );
  if (values['training.eval_steps'] !== null)
    findings.warn('training.eval_steps is without effect, as there are no rows to evaluate on');
}

export function checkSteps({ values, where }: ReadKeys, findings: Findings): void {
  const { 'training.max_steps': steps, 'training.warmup_steps': warmup } = values;
  const epochs = where('training.num_epochs');
  if (steps > 0 && epochs !== undefined)
    findings.warn(`${epochs} is without effect, as training.max_steps is ${steps}`);
  if (steps > 0 && warmup * 2 > steps)
    findings.warn(`training.warmup_steps: ${warmup} is more than half of the ${steps} steps`);
  if (values['training.group_by_length'] && values['data.packing'] === true)
    findings.warn('training.group_by_length is without effect, as data.packing is true');
}

const autoIsNull = <T>(value: T | 'auto'): T | null => (value === 'auto' ? null : value);

export function hardwareOf({ values }: ReadKeys, processes: number): Hardware {
  const workers = values['hardware.dataloader_num_workers'];
  return {
    processes,
    backend: values['training.ddp_backend'],
    dataloader_workers: workers === 'auto' ? 0 : workers,
    pin_memory: values['hardware.pin_memory'],
    gpus: [],
    max_memory_per_gpu: autoIsNull(values['hardware.max_memory_per_gpu'])?.replace(' ', '') ?? null,
    max_memory_fraction: autoIsNull(values['safety.max_memory_usage']),
    empty_cache_steps: autoIsNull(values['memory.empty_cache_steps']),
  };
}
