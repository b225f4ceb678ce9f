import type { JobEntity } from './job.entity.js';
import { DEFAULT_MODEL, type ResolvedConfig } from './resolved-config.js';
import type { RunFile } from './run-contract.generated.js';

/** What only the start of an attempt knows. */
export interface AttemptFacts {
  defaultModel: string;
  /** Adapter that a continuous job trains further. */
  startFrom: string | null;
  /** Checkpoint to go on from. */
  resumeFrom: string | null;
  orphanSeconds: number | undefined;
}

/** The run file of a claimed job; running out of memory has halved its micro-batch and doubled the accumulation. */
export function buildRun(job: JobEntity, config: ResolvedConfig, facts: AttemptFacts): RunFile {
  const { run } = config;
  const batchSize = Math.max(1, Math.floor(run.training.batch_size / 2 ** job.batch_halvings));
  const shrink = run.training.batch_size / batchSize;
  return {
    version: 1,
    job_id: job.job_id,
    attempt: job.attempt,
    fence: job.fence,
    trainer_type: job.trainer_type,
    ...run,
    model: { ...run.model, path: run.model.path === DEFAULT_MODEL ? facts.defaultModel : run.model.path },
    adapter: { ...run.adapter, start_from: facts.startFrom ?? run.adapter.start_from },
    training: {
      ...run.training,
      batch_size: batchSize,
      gradient_accumulation_steps: Math.round(run.training.gradient_accumulation_steps * shrink),
      eval_batch_size: Math.max(1, Math.floor(run.training.eval_batch_size / 2 ** job.batch_halvings)),
    },
    hardware: { ...run.hardware, gpus: job.gpu_indices },
    resume_from: facts.resumeFrom,
    orphan_seconds: facts.orphanSeconds ?? null,
  };
}
