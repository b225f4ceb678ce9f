import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { AppError } from '../../kernel/errors.js';
import { PathError } from '../../kernel/safe-path.js';
import { isUuid } from '../../kernel/uuid.js';
import { adapterFolder } from './config/base-model.js';
import { JobStore } from './job.store.js';

const refusal = (message: string): AppError =>
  new AppError('invalid', `start_from: ${message}`, [{ path: 'start_from', message }]);

/** Finds the adapter that a request wants to train further. */
@Injectable()
export class StartFolders {
  constructor(
    private readonly jobs: JobStore,
    private readonly settings: Settings,
  ) {}

  /**
   * @param asked id of a completed job, or a folder where models are kept
   * @throws AppError `invalid`
   */
  async folderOf(asked: string): Promise<string> {
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
