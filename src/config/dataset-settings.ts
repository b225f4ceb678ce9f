import { decimal, whole } from './setting-kinds.js';

export const datasetSpecs = {
  CLARA_DATASET_MAX_UPLOAD_MB: whole(
    1,
    1_000_000,
  )({ default: 2048, desc: 'Largest file that POST /api/datasets takes as an upload.' }),
  CLARA_DATASET_MAX_ROWS: whole(
    1,
    10_000_000,
  )({ default: 1_000_000, desc: 'Rows that a version of a dataset may have.' }),
  CLARA_DATASET_BUILD_MINUTES: decimal(
    0.01,
    10_000,
  )({ default: 60, desc: 'Longest time the building of a version may take.' }),
};

type Read = {
  CLARA_DATASET_MAX_UPLOAD_MB: number;
  CLARA_DATASET_MAX_ROWS: number;
  CLARA_DATASET_BUILD_MINUTES: number;
};

export const datasetOf = (read: Read) =>
  ({
    maxUploadBytes: read.CLARA_DATASET_MAX_UPLOAD_MB * 1024 * 1024,
    maxRows: read.CLARA_DATASET_MAX_ROWS,
    buildSeconds: read.CLARA_DATASET_BUILD_MINUTES * 60,
  }) as const;
