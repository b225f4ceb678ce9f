import type { KeyName, Values } from './config-keys.js';
import type { Machine } from './context.js';
import type { Findings } from './findings.js';
import { show } from './key-kinds.js';
import type { ReadKeys } from './read-keys.js';

/** More processes than this on a core only wait for each other, each with its own copy of the model. */
const MOST_PROCESSES_A_CORE = 4;
const PROCESSES_WITHOUT_GPU = 2;

/** One rule of the machine: the values of a key that a GPU is needed for. */
interface GpuRule<K extends KeyName> {
  key: K;
  needs: (value: Values[K]) => boolean;
}
const gpuRule = <K extends KeyName>(key: K, needs: (value: Values[K]) => boolean): GpuRule<KeyName> =>
  ({ key, needs }) as GpuRule<KeyName>;

const isValue = (value: unknown): boolean => value !== null && value !== 'auto';
const gpuRules = [
  gpuRule('training.ddp_backend', (value) => value === 'nccl'),
  gpuRule('training.fp16', (value) => value === true),
  gpuRule('hardware.mixed_precision', (value) => value === 'fp16'),
  gpuRule('model.use_flash_attention', (value) => value === true),
  gpuRule('optimization.attention_implementation', (value) => value === 'flash_attention_2'),
  gpuRule('training.optimizer', (value) => /8bit|paged/.test(value)),
  gpuRule('hardware.pin_memory', (value) => value === true),
  gpuRule('hardware.max_memory_per_gpu', isValue),
  gpuRule('safety.max_memory_usage', isValue),
];

function refuseWithoutGpu({ values, where }: ReadKeys, findings: Findings): void {
  for (const { key, needs } of gpuRules) {
    const instead = key === 'training.optimizer' ? 'adamw_torch' : 'auto';
    if (needs(values[key]))
      findings.refuse(
        where(key) ?? key,
        `${show(values[key])} needs a GPU, and this machine has none; write ${instead}`,
      );
  }
}

function refuseBf16({ values, where }: ReadKeys, findings: Findings): void {
  const why = 'is not possible: a GPU of this machine has no bfloat16; write auto';
  if (values['training.bf16'] === true) findings.refuse(where('training.bf16') ?? 'training.bf16', `true ${why}`);
  if (values['hardware.mixed_precision'] === 'bf16') findings.refuse('hardware.mixed_precision', `"bf16" ${why}`);
}

function checkProcesses(processes: number, machine: Machine, findings: Findings): void {
  const { gpus, cores } = machine;
  const most = gpus > 0 ? gpus : cores * MOST_PROCESSES_A_CORE;
  const has = gpus > 0 ? `${gpus} GPU(s)` : `no GPU and ${cores} core(s)`;
  if (processes > most)
    findings.refuse('hardware.num_processes', `${processes} is too many: this machine has ${has}; at most ${most}`);
  else if (gpus === 0 && processes > cores)
    findings.warn(`hardware.num_processes: ${processes} processes share ${cores} core(s) and slow each other down`);
}

/** Processes that a training runs in: as written, else one, else one a GPU where the file is for several. */
export function processesOf({ values, hasSection }: ReadKeys, { gpus }: Machine): number {
  const asked = values['hardware.num_processes'];
  if (asked !== 'auto') return asked;
  return hasSection('distributed') ? gpus || PROCESSES_WITHOUT_GPU : 1;
}

/** What `auto` comes to on this machine, for each key that the file gives as `auto`. */
function autoDecisions(read: ReadKeys, machine: Machine): string[] {
  const { values, where } = read;
  const gpu = machine.gpus > 0;
  const bf16 = gpu && machine.bf16;
  const processes = processesOf(read, machine);
  const backend = gpu ? 'nccl' : 'gloo';
  const decided: [KeyName, string][] = [
    ['model.torch_dtype', bf16 ? 'bfloat16' : 'float32'],
    ['training.bf16', String(bf16)],
    ['training.fp16', 'false'],
    ['hardware.mixed_precision', bf16 ? 'bf16' : 'no'],
    ['hardware.num_processes', String(processes)],
    ['hardware.dataloader_num_workers', '0'],
    ['hardware.pin_memory', String(gpu)],
    ['training.ddp_backend', processes > 1 ? backend : 'none, as there is one process'],
  ];
  return decided
    .filter(([key]) => values[key] === 'auto' && where(key) !== undefined)
    .map(([key, value]) => `${where(key)} is ${value}`);
}

/** Checks a configuration against the machine: what is impossible is refused, what is decided is said. */
export function checkMachine(read: ReadKeys, machine: Machine, findings: Findings): void {
  if (machine.gpus === 0) refuseWithoutGpu(read, findings);
  else if (!machine.bf16) refuseBf16(read, findings);
  checkProcesses(processesOf(read, machine), machine, findings);
  if (machine.gpus === 0 && isValue(read.values['memory.empty_cache_steps']))
    findings.warn('memory.empty_cache_steps is without effect, as this machine has no GPU');
  if (machine.gpus === 0 && read.values['model.torch_dtype'] === 'float16')
    findings.warn('model.torch_dtype: float16 is slow and inexact without a GPU; auto takes float32');
  const decisions = autoDecisions(read, machine);
  const has = machine.gpus === 0 ? 'which has no GPU' : `which has ${machine.gpus} GPU(s)`;
  if (decisions.length > 0) findings.warn(`auto on this machine, ${has}: ${decisions.join(', ')}`);
}
