import { UUID } from '../../../kernel/uuid.js';
import { trainerTypes, type TrainerType, type TrainingMethod } from '../job-state.js';
import {
  choice,
  decimal,
  flag,
  like,
  listOf,
  orAuto,
  orNull,
  text,
  whole,
  wholeOrMinusOne,
  wordOr,
} from './key-kinds.js';
import type { Kind } from './key-kinds.js';

/** A key of a configuration: how its value is read, what it is when left out, and its other spellings. */
export interface Key<T> {
  kind: Kind<T>;
  whenMissing: (type: TrainerType) => T;
  aliases: string[];
}

const key = <T>(kind: Kind<T>, whenMissing: NoInfer<T>, ...aliases: string[]): Key<T> => ({
  kind,
  whenMissing: () => whenMissing,
  aliases,
});

/** A key whose default differs: for lora, qlora and continuous. */
const keyByType = <T>(kind: Kind<T>, whenMissing: NoInfer<[T, T, T]>, ...aliases: string[]): Key<T> => ({
  kind,
  whenMissing: (type) => whenMissing[trainerTypes.indexOf(type)] ?? whenMissing[0],
  aliases,
});

const MODULE_NAME = /^\w+(\.\w+)*$/;
const MEMORY = /^[1-9]\d* ?[MG]i?B$/;

const dtype = orAuto(choice('bfloat16', 'float16', 'float32'));
const modules = listOf(like(MODULE_NAME, 'the name of a module'), 'not empty');
const files = orNull(listOf(text, 'not empty'));
const SEVEN = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];
const schedulers = choice(
  'linear',
  'cosine',
  'constant',
  'constant_with_warmup',
  'polynomial',
  'cosine_with_restarts',
  'inverse_sqrt',
);
const optimizers = choice(
  'adamw_torch',
  'adamw_torch_fused',
  'adamw_8bit',
  'paged_adamw_8bit',
  'paged_adamw_32bit',
  'adafactor',
  'sgd',
);

/** Every key of a training configuration, by its YAML path: the table in configs/README.md, as code. */
export const keys = {
  name: key(orNull(text), null),
  version: key(orNull(text), null),

  'model.base_model': key(text, 'default', 'model.name'),
  'model.revision': key(orNull(text), null),
  'model.torch_dtype': key(dtype, 'auto'),
  'model.use_flash_attention': key(orAuto(flag), 'auto'),
  'optimization.attention_implementation': key(orAuto(choice('eager', 'sdpa', 'flash_attention_2')), 'auto'),
  'model.trust_remote_code': key(flag, false),
  'model.allow_pickle': key(flag, false),

  'lora.r': keyByType(whole(1, 1024), [16, 64, 8]),
  'lora.alpha': keyByType(decimal({ above: 0 }), [32, 128, 16]),
  'lora.dropout': keyByType(decimal({ min: 0, below: 1 }), [0.1, 0.05, 0.05]),
  'lora.target_modules': key(wordOr('all-linear', modules), SEVEN),
  'lora.bias': key(choice('none', 'all', 'lora_only'), 'none'),
  'lora.task_type': key(choice('CAUSAL_LM'), 'CAUSAL_LM'),

  'dpo.beta': key(decimal({ above: 0, max: 100 }), 0.1),

  'continuous.adapter': key(orAuto(like(UUID, 'the id of a job')), 'auto'),
  'qlora.quant_type': key(choice('nf4', 'fp4', 'int8'), 'nf4'),
  'qlora.double_quant': key(flag, true),
  'qlora.compute_dtype': key(dtype, 'auto'),

  'data.train_file': key(files, null, 'data.dataset_path'),
  'data.validation_file': key(files, null),
  'data.validation_split': key(decimal({ min: 0, max: 0.9 }), 0.1),
  'data.max_length': keyByType(whole(8, 1_048_576), [512, 1024, 256]),
  'data.packing': key(orAuto(flag), 'auto'),
  'data.preprocessing.remove_duplicates': key(flag, true),
  'data.preprocessing.min_length': key(whole(0), 0),
  'data.preprocessing.max_length': key(orNull(whole(1)), null),

  'training.output_dir': key(text, 'models'),
  'training.num_epochs': keyByType(decimal({ above: 0, max: 10_000 }), [3, 5, 1], 'continuous.max_epochs'),
  'training.max_steps': key(wholeOrMinusOne, -1),
  'training.batch_size': keyByType(whole(1), [4, 1, 1], 'training.per_device_train_batch_size'),
  'training.eval_batch_size': key(orNull(whole(1)), null, 'training.per_device_eval_batch_size'),
  'training.gradient_accumulation_steps': keyByType(whole(1), [4, 16, 4]),
  'training.learning_rate': keyByType(decimal({ above: 0, max: 10 }), [2e-4, 2e-4, 1e-6], 'continuous.learning_rate'),
  'training.weight_decay': key(decimal({ min: 0 }), 0, 'continuous.weight_decay'),
  'training.warmup_steps': key(whole(0), 0, 'continuous.warmup_steps'),
  'training.lr_scheduler': key(schedulers, 'linear', 'training.lr_scheduler_type'),
  'training.optimizer': key(optimizers, 'adamw_torch', 'training.optim'),
  'training.max_grad_norm': key(decimal({ min: 0 }), 1),
  'training.logging_steps': key(whole(1), 1),
  'training.save_steps': key(whole(1), 50),
  'training.eval_steps': key(orNull(whole(1)), null),
  'training.save_total_limit': key(orNull(whole(1)), 2),
  'training.bf16': key(orAuto(flag), 'auto'),
  'training.fp16': key(orAuto(flag), 'auto'),
  'hardware.mixed_precision': key(orAuto(choice('bf16', 'fp16', 'no')), 'auto'),
  'training.seed': key(whole(0, 4_294_967_295), 42),
  'training.group_by_length': key(flag, false),
  'training.report_to': key(listOf(choice('tensorboard', 'mlflow', 'wandb'), 'may be empty'), []),
  'training.ddp_backend': key(orAuto(choice('gloo', 'nccl')), 'auto', 'distributed.backend'),

  'evaluation.metric': key(choice('perplexity'), 'perplexity'),
  'evaluation.early_stopping': key(flag, false),
  'evaluation.patience': key(whole(1), 3),
  'wandb.enabled': key(flag, false),
  'wandb.project': key(orNull(text), null),
  'wandb.entity': key(orNull(text), null),

  'hardware.num_processes': key(orAuto(whole(1, 1024)), 'auto'),
  'hardware.use_gradient_checkpointing': key(
    orAuto(flag),
    'auto',
    'training.gradient_checkpointing',
    'optimization.gradient_checkpointing',
  ),
  'hardware.dataloader_num_workers': key(
    orAuto(whole(0, 64)),
    'auto',
    'hardware.num_workers',
    'training.dataloader_num_workers',
  ),
  'hardware.pin_memory': key(orAuto(flag), 'auto', 'training.dataloader_pin_memory'),
  'hardware.max_memory_per_gpu': key(orAuto(orNull(like(MEMORY, 'an amount of memory such as 12GB or 20GiB'))), null),
  'safety.max_memory_usage': key(orAuto(orNull(decimal({ above: 0, max: 1 }))), null),
  'memory.empty_cache_steps': key(orAuto(orNull(whole(1))), null),
  'optimization.torch_compile': key(flag, false),
} satisfies Record<string, Key<unknown>>;

export type KeyName = keyof typeof keys;
export type Values = { [K in KeyName]: (typeof keys)[K] extends Key<infer T> ? T : never };

const withoutEffectOf: Record<string, string[]> = {
  model: ['device_map', 'low_cpu_mem_usage', 'ollama_model'],
  training: [
    'logging_dir',
    'save_strategy',
    'eval_strategy',
    'evaluation_strategy',
    'remove_unused_columns',
    'load_best_model_at_end',
    'ddp_find_unused_parameters',
  ],
  data: ['padding', 'truncation', 'return_tensors'],
  optimization: ['use_cache'],
  hardware: ['use_cuda', 'device_map', 'persistent_workers', 'prefetch_factor'],
  safety: ['checkpoint_on_crash', 'recovery_mode', 'validation_frequency'],
  continuous: [
    'enabled',
    'buffer_size',
    'quality_threshold',
    'min_batch_size',
    'train_interval',
    'max_wait_time',
    'feedback_weights',
    'max_daily_updates',
    'pause_on_errors',
    'auto_backup',
    'metrics_file',
    'log_level',
    'performance_tracking',
  ],
};

/** Keys of the original that are accepted and change nothing, whatever stands under them. */
export const withoutEffect: ReadonlySet<string> = new Set([
  'inference',
  'ollama',
  ...Object.entries(withoutEffectOf).flatMap(([section, names]) => names.map((name) => `${section}.${name}`)),
]);

/** Accepted only where it asks for nothing: an adapter that is trained cannot be in inference mode. */
export const onlyFalse = 'lora.inference_mode';

const foreignToType: Record<TrainerType, string[]> = {
  lora: ['qlora', 'continuous'],
  qlora: ['continuous'],
  continuous: [],
};

/** Sections that a training of this kind does not look at, and what it is. */
export const foreignSections = (type: TrainerType, method: TrainingMethod): { section: string; as: string }[] => [
  ...foreignToType[type].map((section) => ({ section, as: `trainer_type is ${type}` })),
  ...(method === 'dpo' ? [] : [{ section: 'dpo', as: `method is ${method}` }]),
];
