import type { ConfigRequest } from './config/context.js';
import type { Overlay } from './config/overlay.js';
import type { FineTuningJob, FineTuningOrder, FineTuningParameters } from './fine-tuning-jobs.port.js';
import type { JobEntity } from './job.entity.js';
import type { OrderedRow } from './ordered-jobs.store.js';
import type { ResolvedConfig } from './resolved-config.js';

type Ordered = Pick<FineTuningOrder, 'method'> & Partial<FineTuningOrder>;

function overlayOf({ overlay = {}, baseModel, suffix, keepCheckpoints }: Ordered): Overlay {
  const named = {
    'model.base_model': baseModel,
    name: suffix,
    'training.num_epochs': overlay.epochs,
    'training.learning_rate': overlay.learningRate,
    'training.warmup_steps': overlay.warmupSteps,
    'training.save_steps': overlay.saveSteps,
    'training.seed': overlay.seed,
    'dpo.beta': overlay.beta,
    'data.validation_split': overlay.validationSplit,
    'lora.r': overlay.rank,
    'lora.alpha': overlay.alpha,
    'lora.target_modules': overlay.targetModules,
  };
  return {
    values: Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)),
    rowsAStep: overlay.batchSize,
    keptCheckpoints: keepCheckpoints,
  };
}

/**
 * An order as the configuration's resolver wants it. Pure.
 * @param configPath the configuration that orders begin with
 */
export function requestOf(order: Ordered, configPath: string): ConfigRequest {
  const { trainingFile: train, validationFile: validation, startFrom } = order;
  return {
    trainer_type: 'lora',
    method: order.method,
    config_path: configPath,
    dataset_path: null,
    ...(train
      ? { dataset: { reference: train.reference, contentHash: train.sha256, train, validation: validation ?? null } }
      : {}),
    overlay: overlayOf(order),
    ...(startFrom === undefined ? {} : { start_from: startFrom }),
  };
}

export function parametersOf({ training, hardware }: ResolvedConfig['run']): FineTuningParameters {
  return {
    epochs: training.epochs,
    maxSteps: training.max_steps,
    batchSize: training.batch_size * training.gradient_accumulation_steps * hardware.processes,
    learningRate: training.learning_rate,
    warmupSteps: training.warmup_steps,
    seed: training.seed,
    beta: training.beta,
  };
}

function wishOf(job: JobEntity): FineTuningJob['wish'] {
  if (job.status !== 'running') return null;
  return job.cancel_requested_at ? 'cancel' : job.pause_requested_at ? 'pause' : null;
}

/** A job of the training service in the words of its orders. Pure. */
export function jobOf(row: OrderedRow): FineTuningJob {
  const { config, failure } = row;
  return {
    jobId: row.job_id,
    status: row.status,
    wish: wishOf(row),
    method: row.method,
    parameters: parametersOf(config.run),
    baseModel: row.base_model,
    startFrom: config.run.adapter.start_from,
    suffix: config.order?.suffix ?? null,
    metadata: config.order?.metadata ?? {},
    tags: row.tags,
    createdBy: row.created_by,
    createdAt: row.created_at,
    startedAt: row.started_at,
    completedAt: row.completed_at,
    secondsLeft: row.seconds_left,
    metrics: row.metrics,
    adapterPath: row.adapter_path,
    error: failure && { code: failure.code, message: failure.message },
  };
}
