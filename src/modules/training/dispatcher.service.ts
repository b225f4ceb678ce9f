import { randomUUID } from 'node:crypto';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { BackgroundLoop } from '../../kernel/background-loop.js';
import { Log } from '../../kernel/log.js';
import { messageOf } from '../../kernel/errors.js';
import { AttemptStart } from './attempt-start.js';
import { Host } from './host.js';
import type { JobEntity } from './job.entity.js';
import { JobNews } from './job-news.js';
import { JobQueueStore, type Claimant } from './job-queue.store.js';
import { RunFolder, type StopReason } from './run-folder.js';
import type { Supervisor } from './supervisor.js';
import { TrainerEnvironment } from './trainer-environment.port.js';
import { TrainingMetrics } from './training-metrics.js';
import type { WaitingFor } from './waiting.js';

const TICK_MS = 1000;
const ADMIT_AT_ONCE = 100;
const SHUTDOWN_GRACE_SECONDS = 5;

/** Claims jobs for the slots of this host and keeps a supervisor for each that runs. */
@Injectable()
export class DispatcherService implements OnApplicationBootstrap {
  readonly #supervisors = new Map<string, Supervisor>();
  readonly #dispatching: BackgroundLoop;
  readonly #leases: BackgroundLoop;
  readonly #claimant: Claimant;
  #stopping = false;
  #bottleneck: WaitingFor | undefined;
  #off: (() => void)[] = [];

  constructor(
    private readonly queue: JobQueueStore,
    private readonly news: JobNews,
    private readonly starts: AttemptStart,
    private readonly environment: TrainerEnvironment,
    private readonly host: Host,
    private readonly settings: Settings,
    private readonly metrics: TrainingMetrics,
    private readonly log: Log,
  ) {
    const { leaseSeconds } = settings.training;
    this.#claimant = { owner: randomUUID(), hostId: host.hostId, leaseSeconds };
    const leasePauseMs = Math.min(TICK_MS, (leaseSeconds * 1000) / 3);
    this.#dispatching = new BackgroundLoop('dispatch', TICK_MS, () => this.#dispatch(), log);
    this.#leases = new BackgroundLoop('leases', leasePauseMs, () => this.#keepLeases(), log);
  }

  /** What the next job of the queue waits for, as this host last saw it. */
  get bottleneck(): WaitingFor | undefined {
    return this.#bottleneck;
  }

  get running(): JobEntity[] {
    return [...this.#supervisors.values()].map((supervisor) => supervisor.job);
  }

  async onApplicationBootstrap(): Promise<void> {
    const { hostId, bootId, hostname, gpus } = this.host;
    await this.queue.registerHost({ hostId, bootId, hostname, gpus, slots: this.settings.training.maxConcurrentJobs });
    const ring = (): void => this.#dispatching.ring();
    this.#off = [this.news.onQueueChange(ring), this.environment.onChange(ring)];
    this.#dispatching.start();
    this.#leases.start();
  }

  /** Passes on a wish to cancel, where the job runs here; elsewhere its owner finds the wish in the database. */
  async cancel(jobId: string): Promise<void> {
    await this.#supervisors.get(jobId)?.stop('cancel');
  }

  /** Passes on a wish to pause, as with cancel. */
  async pause(jobId: string): Promise<void> {
    await this.#supervisors.get(jobId)?.stop('pause');
  }

  /** Stops supervising; `end` also asks the workers to save and end, and their jobs go on at the next start. */
  async stop(workers: 'keep' | 'end'): Promise<void> {
    this.#stopping = true;
    for (const off of this.#off) off();
    const loops = Promise.all([this.#dispatching.stop(), this.#leases.stop()]);
    const supervisors = [...this.#supervisors.values()];
    if (workers === 'end') await this.#endAll(supervisors, 'shutdown');
    else for (const supervisor of supervisors) supervisor.detach();
    await loops;
    await this.queue
      .release(this.#claimant.owner)
      .catch((error: unknown) => this.log.warn('leases were not released', { error: messageOf(error) }));
    for (const { job } of workers === 'keep' ? supervisors : [])
      this.log.info('a training goes on without the application', { job: job.job_id, run: job.run_dir });
  }

  async #endAll(supervisors: Supervisor[], reason: StopReason): Promise<void> {
    await Promise.allSettled(supervisors.map((supervisor) => supervisor.stop(reason, SHUTDOWN_GRACE_SECONDS)));
    await Promise.allSettled(supervisors.map((supervisor) => supervisor.done));
  }

  async #dispatch(): Promise<void> {
    while ((await this.queue.admit(ADMIT_AT_ONCE)) === ADMIT_AT_ONCE && !this.#stopping);
    for (;;) {
      this.#bottleneck = await this.#obstacle();
      if (this.#bottleneck || this.#stopping) return;
      const claimed = await this.queue.claim(this.#claimant, (job) => this.#folder(job, job.attempt + 1).path);
      // What was claimed while stopping began is left to the next start, which finds it unlaunched.
      if (!claimed || this.#stopping) return;
      if ('waitingFor' in claimed) {
        this.#bottleneck = claimed.waitingFor;
        return;
      }
      this.#supervise(claimed, 'launch');
    }
  }

  async #obstacle(): Promise<WaitingFor | undefined> {
    if (!this.environment.status().ready) return 'trainer';
    if ((await this.host.freeDiskBytes(this.settings.folders.data)) < this.settings.training.minFreeDiskBytes)
      return 'disk';
    return undefined;
  }

  #folder(job: JobEntity, attempt: number): RunFolder {
    return RunFolder.of(this.settings.folders.data, job.job_id, attempt);
  }

  #supervise(job: JobEntity, how: 'launch' | 'adopt'): void {
    const folder = job.run_dir ? new RunFolder(job.run_dir) : this.#folder(job, job.attempt);
    const supervisor = this.starts.supervise(job, folder, how, this.#supervisors.size + 1);
    if (how === 'launch') this.metrics.started(job);
    this.#supervisors.set(job.job_id, supervisor);
    void supervisor.done
      .catch((error: unknown) => this.log.error('supervision broke', { job: job.job_id, error: messageOf(error) }))
      .finally(() => {
        if (this.#supervisors.get(job.job_id) === supervisor) this.#supervisors.delete(job.job_id);
        this.#dispatching.ring();
      });
  }

  async #keepLeases(): Promise<void> {
    // What is claimed while this waits is not judged by an answer from before.
    const supervisors = [...this.#supervisors];
    const renewed = await this.#renew(supervisors.map(([jobId]) => jobId));
    for (const [jobId, supervisor] of supervisors) {
      const row = renewed.get(jobId);
      if (row?.fence !== supervisor.job.fence) supervisor.detach();
      else await this.#tend(supervisor, wishOf(row));
    }
    if (this.environment.status().ready) await this.#adopt();
  }

  async #renew(jobIds: string[]) {
    const rows = jobIds.length > 0 ? await this.queue.renew(this.#claimant, jobIds) : [];
    return new Map(rows.map((row) => [row.job_id, row]));
  }

  async #tend(supervisor: Supervisor, wish: StopReason | undefined): Promise<void> {
    const folder = new RunFolder(supervisor.job.run_dir ?? '');
    await folder.touchHeartbeat().catch(() => undefined);
    if (wish) await supervisor.stop(wish);
  }

  async #adopt(): Promise<void> {
    const { orphanSeconds } = this.settings.training;
    const here = await this.queue.adopt(this.#claimant, `${this.settings.folders.data}/runs/`, [
      ...this.#supervisors.keys(),
    ]);
    // What was taken over while stopping began goes to the next start with the other leases.
    for (const job of this.#stopping ? [] : here) {
      this.log.info('a running job was taken over', { job: job.job_id, attempt: job.attempt });
      this.#supervise(job, 'adopt');
    }
    if (orphanSeconds === undefined) return;
    for (const job of await this.queue.requeueOrphans(this.#claimant.hostId, orphanSeconds))
      this.log.warn('a job of a host that is gone waits again', { job: job.job_id, host: job.host_id });
  }
}

const wishOf = (row: Pick<JobEntity, 'cancel_requested_at' | 'pause_requested_at'>): StopReason | undefined =>
  row.cancel_requested_at ? 'cancel' : row.pause_requested_at ? 'pause' : undefined;
