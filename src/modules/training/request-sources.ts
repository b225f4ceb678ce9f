import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { AppError } from '../../kernel/errors.js';
import { PathError } from '../../kernel/safe-path.js';
import { isUuid } from '../../kernel/uuid.js';
import { DATASET_SCHEME, DatasetFiles, type DatasetFile } from '../dataset/dataset-files.port.js';
import type { Caller } from '../security/principal.port.js';
import { adapterFolder } from './config/base-model.js';
import { JobStore } from './job.store.js';

const refusal = (message: string): AppError =>
  new AppError('invalid', `start_from: ${message}`, [{ path: 'start_from', message }]);

/** Finds what a request names: the dataset to learn from, the adapter to train further. */
@Injectable()
export class RequestSources {
  constructor(
    private readonly datasets: DatasetFiles,
    private readonly jobs: JobStore,
    private readonly settings: Settings,
  ) {}

  /** Undefined for a path, which the configuration's resolver opens. @throws AppError `invalid` */
  async dataset(path: string, caller: Caller): Promise<DatasetFile | undefined> {
    if (path.startsWith(DATASET_SCHEME)) return this.datasets.resolve(path, caller);
    await this.datasets.checkPath(path, caller);
    return undefined;
  }

  /**
   * @param asked id of a completed job, or a folder where models are kept
   * @throws AppError `invalid`
   */
  async adapter(asked: string): Promise<string> {
    if (isUuid(asked)) return this.#ofJob(asked);
    try {
      return await adapterFolder(asked, this.settings);
    } catch (error) {
      if (error instanceof PathError) throw refusal(error.message);
      throw error;
    }
  }

  async #ofJob(jobId: string): Promise<string> {
    const path = (await this.jobs.byId(jobId))?.adapter_path;
    if (!path) throw refusal(`job ${jobId} has no adapter; name a completed job`);
    return path;
  }
}
