import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { BackgroundLoop } from '../../../kernel/background-loop.js';
import { AppError } from '../../../kernel/errors.js';
import { Log } from '../../../kernel/log.js';
import { restored } from '../../security/principal.port.js';
import { checkTrainingFile, UnreadableRows } from '../../dataset/training-file.port.js';
import { FineTuningJobs } from '../../training/fine-tuning-jobs.port.js';
import { FileFolder } from '../files/file-folder.js';
import { FilePlace } from '../files/file-place.js';
import { FileStore } from '../files/file.store.js';
import type { OpenAiFile } from '../files/openai-file.js';
import { resolveHyperparameters } from './hyperparameters.js';
import type { JobFailure, JobRow } from './job-row.js';
import { JobRowStore } from './job.store.js';
import { TrainingOrders } from './training-orders.js';

const EVERY_MS = 5000;
const AT_ONCE = 20;

/** A file that no job can be made of. */
class BadFile extends Error {
  constructor(
    readonly param: 'training_file' | 'validation_file',
    message: string,
  ) {
    super(message);
  }
}

/** Checks the files of new jobs, one job after the other, and hands those that are whole to the training. */
@Injectable()
export class JobChecking implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #loop: BackgroundLoop;
  /** What the creation of a job took of its subject's limit; the training takes its own place. */
  readonly #places = new Map<string, () => void>();

  constructor(
    private readonly rows: JobRowStore,
    private readonly files: FileStore,
    private readonly folder: FileFolder,
    private readonly place: FilePlace,
    private readonly training: FineTuningJobs,
    private readonly orders: TrainingOrders,
    private readonly log: Log,
  ) {
    this.#loop = new BackgroundLoop('openai jobs to check', EVERY_MS, (signal) => this.#round(signal), log);
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.#loop.stop();
  }

  /** A new job waits. */
  add(id: string, giveBack: () => void): void {
    this.#places.set(id, giveBack);
    this.#loop.ring();
  }

  async #round(signal: AbortSignal): Promise<boolean> {
    const rows = await this.rows.unchecked(await this.place.id(), AT_ONCE);
    let done = 0;
    for (const row of rows) {
      if (signal.aborted) break;
      done += (await this.#check(row, signal)) ? 1 : 0;
    }
    return done > 0 && rows.length === AT_ONCE;
  }

  /** @returns false where it is tried again later */
  async #check(row: JobRow, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#handOver(row, signal);
    } catch (error) {
      if (signal.aborted) return false;
      const failure = failureOf(error);
      if (!failure) {
        this.log.warn('a fine-tuning job could not be handed over and is tried again', { job: row.id });
        if (error instanceof AppError) return false;
        throw error;
      }
      await this.rows.fail(row.id, failure);
    }
    this.#places.delete(row.id);
    return true;
  }

  async #handOver(row: JobRow, signal: AbortSignal): Promise<void> {
    const train = await this.#file(row.training_file, 'training_file');
    const rows = await this.#rowsOf(train, 'training_file', row, signal);
    const validation = row.validation_file === null ? null : await this.#file(row.validation_file, 'validation_file');
    if (validation) await this.#rowsOf(validation, 'validation_file', row, signal);
    const resolved = resolveHyperparameters(row.request.asked, rows, {
      ...(await this.training.defaults()),
      parameters: await this.training.parametersOf(await this.orders.baseOf(row)),
    });
    const order = await this.orders.order(row, resolved, { train, validation });
    this.#places.get(row.id)?.();
    const caller = restored(row.caller);
    const job = await this.training.create(order, caller);
    // Cancelled or paused while its files were read: nobody waits for the training.
    if (!(await this.rows.accept(row.id, job.jobId, resolved))) await this.training.cancel(job.jobId, caller);
  }

  async #file(id: string, param: BadFile['param']): Promise<OpenAiFile> {
    const file = await this.files.find(id, null);
    if (!file) throw new BadFile(param, `the file ${id} is gone`);
    return file;
  }

  async #rowsOf(file: OpenAiFile, param: BadFile['param'], row: JobRow, signal: AbortSignal): Promise<number> {
    const kind = row.request.method === 'dpo' ? 'preference' : 'messages';
    try {
      return await checkTrainingFile(this.folder.whole(file.path), kind, signal);
    } catch (error) {
      if (error instanceof UnreadableRows)
        throw new BadFile(param, `The file ${file.id} is not usable: ${error.message}`);
      throw error;
    }
  }
}

/** What the job fails with; undefined where a later try may succeed. */
function failureOf(error: unknown): JobFailure | undefined {
  if (error instanceof BadFile) return { code: `invalid_${error.param}`, param: error.param, message: error.message };
  if (!(error instanceof AppError) || ['rate_limited', 'unavailable'].includes(error.code)) return undefined;
  const [problem] = error.problems;
  return { code: 'invalid_request', param: problem?.path ?? null, message: error.message };
}
