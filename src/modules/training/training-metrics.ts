import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { JobEntity } from './job.entity.js';
import type { WorkerEvent } from './run-contract.generated.js';

const SECONDS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400];

/** Prometheus instruments of the training service; the first two are named as the quick start names them. */
@Injectable()
export class TrainingMetrics {
  readonly #jobs: Counter<'status' | 'type'>;
  readonly #wait: Histogram<'type'>;
  readonly #run: Histogram<'type' | 'outcome'>;
  readonly #steps: Counter<'type'>;
  readonly #tokens: Counter<'type'>;
  readonly #loss: Gauge<'type'>;
  readonly #tokensPerSecond: Gauge<'type'>;
  readonly #gpuMemory: Gauge<'type'>;
  readonly #lastTokens = new Map<string, number>();

  constructor(registry: Registry) {
    const registers = [registry];
    const byType = (name: string, help: string) => ({ name, help, labelNames: ['type'] as const, registers });
    this.#jobs = new Counter({
      name: 'training_jobs_total',
      help: 'Jobs that were created, started, completed, failed or cancelled, by this process.',
      labelNames: ['status', 'type'],
      registers,
    });
    const wait = byType('training_job_wait_seconds', 'Time from creation, or from the last retry, to the start.');
    this.#wait = new Histogram({ ...wait, buckets: SECONDS });
    this.#run = new Histogram({
      name: 'training_job_run_seconds',
      help: 'Duration of an attempt.',
      labelNames: ['type', 'outcome'],
      buckets: SECONDS,
      registers,
    });
    this.#steps = new Counter(byType('training_steps_total', 'Optimizer steps.'));
    this.#tokens = new Counter(byType('training_tokens_total', 'Tokens trained on.'));
    this.#loss = new Gauge(byType('training_loss', 'Training loss of the last logged step.'));
    const perSecond = byType('training_tokens_per_second', 'Tokens a second at the last logged step.');
    this.#tokensPerSecond = new Gauge(perSecond);
    const memory = 'Peak GPU memory of the last logged step; absent without a GPU.';
    this.#gpuMemory = new Gauge(byType('training_gpu_memory_bytes', memory));
  }

  created(job: JobEntity): void {
    this.#jobs.inc({ status: 'created', type: job.trainer_type });
  }

  started(job: JobEntity): void {
    this.#jobs.inc({ status: 'started', type: job.trainer_type });
    const since = Math.max(job.created_at.getTime(), job.not_before.getTime());
    this.#wait.observe({ type: job.trainer_type }, Math.max(0, (Date.now() - since) / 1000));
  }

  ended(job: JobEntity, outcome: string, seconds: number): void {
    this.#lastTokens.delete(job.job_id);
    this.#run.observe({ type: job.trainer_type, outcome: outcome === 'queued' ? 'retried' : outcome }, seconds);
    if (outcome !== 'queued' && outcome !== 'paused') this.#jobs.inc({ status: outcome, type: job.trainer_type });
  }

  /** A waiting job that was cancelled never had an attempt. */
  cancelledWaiting(job: JobEntity): void {
    this.#jobs.inc({ status: 'cancelled', type: job.trainer_type });
  }

  observe(job: JobEntity, report: WorkerEvent): void {
    if (report.type !== 'progress') return;
    const type = { type: job.trainer_type };
    this.#steps.inc(type);
    if (report.data.loss !== null) this.#loss.set(type, report.data.loss);
    if (report.data.tokens_per_second !== null) this.#tokensPerSecond.set(type, report.data.tokens_per_second);
    if (report.data.gpu_memory_bytes !== null) this.#gpuMemory.set(type, report.data.gpu_memory_bytes);
    const before = this.#lastTokens.get(job.job_id) ?? 0;
    this.#tokens.inc(type, Math.max(0, report.data.tokens_seen - before));
    this.#lastTokens.set(job.job_id, report.data.tokens_seen);
  }
}
