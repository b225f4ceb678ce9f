import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { BackgroundLoop } from '../../../kernel/background-loop.js';
import { AppError, messageOf } from '../../../kernel/errors.js';
import { Log } from '../../../kernel/log.js';
import { isDatabaseAway } from '../../../kernel/transaction.js';
import { restored } from '../../security/principal.port.js';
import { checkTrainingFile, UnreadableRows } from '../../dataset/training-file.port.js';
import { FineTuningJobs } from '../../training/fine-tuning-jobs.port.js';
import { FileFolder } from '../files/file-folder.js';
import { DataFolder } from '../../../config/data-folder.js';
import { FileStore } from '../files/file.store.js';
import type { OpenAiFile } from '../files/openai-file.js';
import { resolveHyperparameters } from './hyperparameters.js';
import type { JobFailure, JobRow } from './job-row.js';
import { JobRowStore } from './job.store.js';
import { TrainingOrders } from './training-orders.js';

const EVERY_MS = 5000;
const AT_ONCE = 20;
const SERVER_ERROR = 'server_error';

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
    private readonly place: DataFolder,
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
    this.wake();
  }

  wake(): void {
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
      if (signal.aborted || isLater(error)) return false;
      if (isDatabaseAway(error)) throw error;
      const failure = failureOf(error);
      if (failure.code === SERVER_ERROR)
        this.log.error('a fine-tuning job could not be checked', { job: row.id, error: messageOf(error) });
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
    this.#giveBack(row.id);
    const caller = restored(row.caller);
    const { jobId } = await this.training.create(order, caller);
    const was = await this.rows.accept(row.id, jobId, resolved);
    // What came while its files were read holds for the training.
    if (was === undefined) await this.training.cancel(jobId, caller);
    if (was === 'paused') await this.training.pause(jobId, caller);
  }

  #giveBack(id: string): void {
    this.#places.get(id)?.();
    this.#places.delete(id);
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

/** The training takes no more now, or its base is not there yet. */
const isLater = (error: unknown): boolean =>
  error instanceof AppError && (error.code === 'rate_limited' || error.code === 'unavailable');

/** What the job fails with. */
function failureOf(error: unknown): JobFailure {
  if (error instanceof BadFile) return { code: `invalid_${error.param}`, param: error.param, message: error.message };
  if (error instanceof AppError)
    return { code: 'invalid_request', param: error.problems[0]?.path ?? null, message: error.message };
  const message = 'Something went wrong here while the files were checked; the log has the details';
  return { code: SERVER_ERROR, param: null, message };
}
