import { decimal, list, whole } from './setting-kinds.js';

export const datasetSpecs = {
  CLARA_DATASET_MAX_UPLOAD_MB: whole(
    1,
    1_000_000,
  )({ default: 2048, desc: 'Largest file that POST /api/datasets takes as an upload.' }),
  CLARA_DATASET_MAX_ROWS: whole(
    1,
    10_000_000,
  )({ default: 1_000_000, desc: 'Rows that a version of a dataset may have.' }),
  CLARA_DATASET_LANGUAGES: list({
    default: ['de', 'en'],
    desc: 'Languages (ISO 639-1) of the rows of a dataset; rows that are surely of another one are left out. Empty: all are welcome.',
  }),
  CLARA_DATASET_COMPARED_ROWS: whole(
    0,
    100_000_000,
  )({
    default: 500_000,
    desc: 'Rows of other datasets, newest datasets first, that a new version is compared with to find near duplicates.',
  }),
  CLARA_DATASET_BUILD_MINUTES: decimal(
    0.01,
    10_000,
  )({ default: 60, desc: 'Longest time the building of a version may take.' }),
};

type Read = {
  CLARA_DATASET_LANGUAGES: string[];
  CLARA_DATASET_COMPARED_ROWS: number;
  CLARA_DATASET_MAX_UPLOAD_MB: number;
  CLARA_DATASET_MAX_ROWS: number;
  CLARA_DATASET_BUILD_MINUTES: number;
};

export const datasetOf = (read: Read) =>
  ({
    maxUploadBytes: read.CLARA_DATASET_MAX_UPLOAD_MB * 1024 * 1024,
    maxRows: read.CLARA_DATASET_MAX_ROWS,
    languages: read.CLARA_DATASET_LANGUAGES,
    comparedRows: read.CLARA_DATASET_COMPARED_ROWS,
    buildSeconds: read.CLARA_DATASET_BUILD_MINUTES * 60,
  }) as const;
