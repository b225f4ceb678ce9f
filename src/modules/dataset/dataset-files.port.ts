import type { Caller } from '../security/principal.port.js';

/** What a job trains on when it names a dataset. */
export interface DatasetFile {
  datasetId: string;
  version: number;
  /** `dataset:<id>@<version>`. */
  reference: string;
  /** SHA-256 over the hashes of the version's rows. */
  contentHash: string;
  /** Rows to train on, in a format that the trainer reads. */
  train: { path: string; sha256: string };
  /** Rows to evaluate on; null where the version has none. */
  validation: { path: string; sha256: string } | null;
}

/** The word that a reference to a dataset begins with. */
export const DATASET_SCHEME = 'dataset:';

/** Hands the files of datasets to whoever trains on them. */
export abstract class DatasetFiles {
  /**
   * @param reference `dataset:<id>@<version>`, or `dataset:<id>` for the newest completed version
   * @throws AppError `invalid` where there is no such version that the caller may read, or it is not completed
   */
  abstract resolve(reference: string, caller: Caller): Promise<DatasetFile>;
  /**
   * A path may lie among the files of a dataset, and is then for its readers only.
   * @throws AppError `invalid` where the caller may not read that set
   */
  abstract checkPath(path: string, caller: Caller): Promise<void>;
}
