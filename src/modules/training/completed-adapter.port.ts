import type { Sql } from '../../kernel/transaction.js';
import type { ResolvedConfig } from './resolved-config.js';

/** A job that ends, or has ended, well, as far as its adapter is concerned. */
export interface CompletedJob {
  jobId: string;
  /** Order of the jobs. */
  seq: number;
  trainerType: string;
  configPath: string;
  tags: string[];
  createdBy: string;
  /** `default`, a hub id or a folder. */
  baseModel: string;
  config: ResolvedConfig;
  /** Folder of the adapter. */
  adapterPath: string;
}

/** Writes what was prepared, in the transaction that completes the job. */
export type Registration = (sql: Sql) => Promise<void>;

/** Takes in the adapter of every job that is completed. */
export abstract class CompletedAdapters {
  /**
   * Looks at the folder: outside of the transaction, for that takes its time.
   * @throws Error in words where the folder holds no adapter that can be registered
   */
  abstract prepare(job: CompletedJob): Promise<Registration>;
}
