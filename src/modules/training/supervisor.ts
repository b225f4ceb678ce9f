import { watch, type FSWatcher } from 'node:fs';
import { messageOf } from '../../kernel/errors.js';
import type { Log } from '../../kernel/log.js';
import { isDatabaseAway } from '../../kernel/transaction.js';
import { decideOutcome, stoppedFor, type EndedAttempt } from './attempt-outcome.js';
import type { AttemptEnd } from './attempt-end.js';
import { snapshotOf } from './job-changes.js';
import type { JobEntity } from './job.entity.js';
import type { JobQueueStore } from './job-queue.store.js';
import type { Launcher } from './launcher.port.js';
import type { WorkerEvent } from './run-contract.generated.js';
import type { RunFolder, StopReason } from './run-folder.js';
import { checkpointOf } from './checkpoints.js';
import { Wake } from '../../kernel/wake.js';
import { foldReports } from './worker-reports.js';

const POLL_MS = 500;
/** A process number may come to belong to a stranger; only the lock tells, and asking it starts a process. */
const PROBE_MS = 10_000;
/** Failed looks in a row that are endured, about ten seconds of them. */
const MOST_TROUBLES = 20;
const LAST_WORDS = new Set(['finished', 'stopped', 'failed']);

export interface SupervisorTools {
  queue: JobQueueStore;
  launcher: Launcher;
  log: Log;
  end: AttemptEnd;
  cancelGraceSeconds: number;
  timeoutSeconds: number;
  retry: { maxAttempts: number; retryDelaySeconds: number };
}

/** A wish gives way to a stronger one: what is cancelled is no longer paused. */
const strength: Record<StopReason, number> = { pause: 1, shutdown: 2, time_limit: 3, cancel: 4 };

type LastWord = Extract<WorkerEvent, { type: 'finished' | 'stopped' | 'failed' }>;

/** Follows one attempt from its start to its end: stores what the worker reports, stops it, decides what comes next. */
export class Supervisor {
  readonly done: Promise<void>;
  readonly #wake = new Wake();
  #job: JobEntity;
  #lastWord: LastWord | undefined;
  #wish: StopReason | undefined;
  #killAt: number | undefined;
  #ended = false;
  #detached = false;
  /** Launched by us, and not ended. */
  #launched = false;
  #nextProbe = 0;
  #troubles = 0;
  #watcher: FSWatcher | undefined;

  constructor(
    job: JobEntity,
    private readonly folder: RunFolder,
    private readonly tools: SupervisorTools,
    begin: (onExit: () => void) => Promise<'launched' | 'found'>,
  ) {
    this.#job = job;
    this.done = this.#run(begin);
  }

  get job(): JobEntity {
    return this.#job;
  }

  /** Asks the worker to save and end; it is killed after `graceSeconds`. */
  async stop(reason: StopReason, graceSeconds = this.tools.cancelGraceSeconds): Promise<void> {
    if (this.#wish !== undefined && strength[reason] <= strength[this.#wish]) return;
    this.#wish = reason;
    this.#killAt = Date.now() + graceSeconds * 1000;
    // Neither may fail the other, nor the caller: past the grace the worker is killed in any case.
    for (const step of [() => this.folder.wishStop(reason), () => this.tools.launcher.signal(this.folder, 'TERM')])
      await step().catch((error: unknown) => this.#warn('asking the worker to stop failed', error));
    this.#wake.ring();
  }

  /** Leaves the worker alone; another supervisor, or the next start, reads on. */
  detach(): void {
    this.#detached = true;
    this.#wake.ring();
  }

  async #run(begin: (onExit: () => void) => Promise<'launched' | 'found'>): Promise<void> {
    try {
      await this.#begin(begin);
      this.#watch();
      while (!this.#detached && !this.#ended) await this.#turn();
    } catch (error) {
      if (this.#detached) return;
      // Without supervision its lease runs out, and the job is adopted once the database is back.
      if (isDatabaseAway(error)) this.#warn('the database is away; the job is taken up again later', error);
      else await this.#giveUp(error);
    } finally {
      this.#watcher?.close();
    }
  }

  async #begin(begin: (onExit: () => void) => Promise<'launched' | 'found'>): Promise<void> {
    let exited = false;
    const how = await begin(() => {
      exited = true;
      this.#launched = false;
      this.#wake.ring();
    });
    this.#launched = how === 'launched' && !exited;
    this.#nextProbe = this.#launched ? Date.now() + PROBE_MS : 0;
  }

  async #turn(): Promise<void> {
    try {
      await this.#readReports();
      if (this.#detached) return;
      if (await this.#isOver()) {
        await this.#readReports();
        await this.#conclude();
        return;
      }
      await this.#enforce();
      this.#troubles = 0;
    } catch (error) {
      if (isDatabaseAway(error)) this.#warn('the database is away; the training goes on and is read later', error);
      else this.#endure(error);
    }
    await this.#wake.wait(POLL_MS);
  }

  /** A machine that is short of memory, files or time for a moment is no reason to end a training. */
  #endure(error: unknown): void {
    this.#troubles += 1;
    if (this.#troubles > MOST_TROUBLES) throw error;
    this.#warn('a look at the training failed and is repeated', error);
  }

  #warn(message: string, error: unknown): void {
    this.tools.log.warn(message, { job: this.#job.job_id, error: messageOf(error) });
  }

  /** A watcher makes reports quick; the poll makes them certain. */
  #watch(): void {
    try {
      this.#watcher = watch(this.folder.path, () => this.#wake.ring());
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch (error) {
      this.tools.log.debug('no file watcher, polling instead', { error: messageOf(error) });
    }
  }

  async #readReports(): Promise<void> {
    for (;;) {
      const { events, offset } = await this.folder.readEvents(this.#job.event_offset);
      if (offset === this.#job.event_offset) return;
      await this.#store(events, offset);
      if (this.#detached) return;
    }
  }

  async #store(reports: WorkerEvent[], offset: number): Promise<void> {
    const { state, events } = foldReports(snapshotOf(this.#job), reports);
    const row = await this.tools.queue.change(this.#job.job_id, {
      set: {
        progress_percent: state.progress_percent,
        current_epoch: state.current_epoch,
        total_epochs: state.total_epochs,
        current_step: state.current_step,
        total_steps: state.total_steps,
        seconds_left: state.seconds_left,
        metrics: state.metrics,
        event_offset: offset,
        ...checkpointOf(reports, this.folder.path),
      },
      events,
      from: ['running'],
      fence: this.#job.fence,
    });
    if (!row) return this.#lost();
    this.#job = row;
    for (const report of reports) {
      this.tools.end.observe(this.#job, report);
      if (LAST_WORDS.has(report.type)) this.#lastWord = report as LastWord;
    }
  }

  #lost(): void {
    this.tools.log.warn('another application supervises this job now; it is left alone', { job: this.#job.job_id });
    this.detach();
  }

  /** Over means: its launcher has ended, and the lock says that no process of the job is left. */
  async #isOver(): Promise<boolean> {
    if (!(await this.folder.exit()) && (await this.#launcherLives())) return false;
    const { alive } = await this.tools.launcher.find(this.folder);
    this.#nextProbe = Date.now() + PROBE_MS;
    return !alive;
  }

  /** As far as can be told without a probe, which is due every now and then. */
  async #launcherLives(): Promise<boolean> {
    if (this.#launched) return true;
    const launcher = await this.folder.launcher();
    if (!launcher || Date.now() > this.#nextProbe) return false;
    try {
      process.kill(launcher.pid, 0);
      return true;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EPERM';
    }
  }

  async #enforce(): Promise<void> {
    const ran = this.#job.run_seconds + (Date.now() - (this.#job.attempt_started_at?.getTime() ?? Date.now())) / 1000;
    if (!this.#wish && ran > this.tools.timeoutSeconds) await this.stop('time_limit');
    if (this.#killAt === undefined || Date.now() < this.#killAt) return;
    this.#killAt = Date.now() + 2000;
    this.tools.log.warn('the worker did not end in time and is killed', { job: this.#job.job_id });
    const { alive } = await this.tools.launcher.signal(this.folder, 'KILL');
    if (!alive) this.#nextProbe = 0;
  }

  async #conclude(): Promise<void> {
    const outcome = decideOutcome(await this.#facts(), this.tools.retry);
    const row = await this.tools.end.carryOut(this.#job, this.folder, outcome);
    if (!row) return this.#lost();
    this.#job = row;
    this.#ended = true;
  }

  async #facts(): Promise<EndedAttempt> {
    const [exit, run, logTail] = await Promise.all([this.folder.exit(), this.folder.run(), this.folder.logTail()]);
    return {
      lastWord: this.#lastWord ?? (await this.tools.end.lastWord(this.#job)),
      exit,
      wish: stoppedFor(await this.tools.queue.wishes(this.#job.job_id), this.#wish),
      failures: this.#job.failures,
      batchHalvings: this.#job.batch_halvings,
      batchSize: run?.training.batch_size ?? 1,
      logTail,
    };
  }

  /** What cannot be supervised (no run folder, a launcher that does not start) ends the job with the reason. */
  async #giveUp(error: unknown): Promise<void> {
    const message = `The attempt could not be run: ${messageOf(error)}`;
    this.tools.log.error('a job could not be supervised', { job: this.#job.job_id, error: messageOf(error) });
    await this.tools.launcher.signal(this.folder, 'KILL').catch(() => undefined);
    await this.tools.end.carryOut(this.#job, this.folder, { become: 'failed', code: 'internal', message });
  }
}
