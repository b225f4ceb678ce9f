import { Injectable } from '@nestjs/common';
import { messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { isDatabaseAway } from '../../kernel/transaction.js';
import { CompletedAdapters, type Registration } from './completed-adapter.port.js';
import { completedJobOf } from './completed-jobs.store.js';
import type { JobEntity } from './job.entity.js';
import { JobStore } from './job.store.js';

/** Prepares the adapter of a job that ends well for the registry. */
@Injectable()
export class AdapterRegistration {
  constructor(
    private readonly jobs: JobStore,
    private readonly adapters: CompletedAdapters,
    private readonly log: Log,
  ) {}

  /** A folder that cannot be registered costs no training: the job is completed, and the next start tries again. */
  async prepare(job: JobEntity, adapterPath: string): Promise<Registration | undefined> {
    try {
      const config = await this.jobs.config(job.job_id);
      if (!config) throw new Error('the configuration of the job is gone');
      return await this.adapters.prepare(completedJobOf(job, config, adapterPath));
    } catch (error) {
      if (isDatabaseAway(error)) throw error;
      this.log.warn('the adapter of a job could not be registered', { job: job.job_id, error: messageOf(error) });
      return undefined;
    }
  }
}
