import { cpus } from 'node:os';
import { list, whole } from './setting-kinds.js';

const MB = 1024 * 1024;

export const ingestionSpecs = {
  CLARA_DOCUMENT_DIRS: list({
    default: [],
    desc: 'Folders on this host that may be ingested as directories. Unset: none.',
  }),
  CLARA_MAX_UPLOAD_MB: whole(1, 1_000_000)({ default: 4096, desc: 'Largest file that is taken, in MB.' }),
  CLARA_MAX_UPLOAD_FILES: whole(1, 100_000)({ default: 1000, desc: 'Most files of one upload, scan or archive.' }),
  CLARA_ARCHIVE_MAX_MB: whole(
    1,
    1_000_000,
  )({ default: 4096, desc: 'Most that one archive may hold when unpacked, in MB.' }),
  CLARA_ARCHIVE_MAX_RATIO: whole(
    2,
    100_000,
  )({ default: 200, desc: 'Unpacked to packed size above which an archive is refused as a bomb.' }),
  CLARA_INGESTION_WORKERS: whole(
    1,
    64,
  )({ default: Math.min(2, cpus().length), desc: 'Files that are read at the same time.' }),
  CLARA_CHUNK_TOKENS: whole(
    50,
    8000,
  )({ default: 400, desc: 'Most tokens of a chunk, counted by the embedding model; never more than the model takes.' }),
  CLARA_CHUNK_OVERLAP_TOKENS: whole(
    0,
    1000,
  )({ default: 40, desc: 'Tokens that a chunk repeats of the one before it, in whole sentences.' }),
  CLARA_UPLOAD_HOURS: whole(
    1,
    10_000,
  )({ default: 48, desc: 'Hours after which an upload in chunks that nobody goes on with is removed.' }),
};

type Read = {
  CLARA_DOCUMENT_DIRS: string[];
  CLARA_MAX_UPLOAD_MB: number;
  CLARA_MAX_UPLOAD_FILES: number;
  CLARA_ARCHIVE_MAX_MB: number;
  CLARA_ARCHIVE_MAX_RATIO: number;
  CLARA_INGESTION_WORKERS: number;
  CLARA_CHUNK_TOKENS: number;
  CLARA_CHUNK_OVERLAP_TOKENS: number;
  CLARA_UPLOAD_HOURS: number;
};

export function ingestionProblems(read: Read): string[] {
  const { CLARA_CHUNK_TOKENS: tokens, CLARA_CHUNK_OVERLAP_TOKENS: overlap } = read;
  return overlap > tokens / 2
    ? [`CLARA_CHUNK_OVERLAP_TOKENS: ${overlap} is more than half of CLARA_CHUNK_TOKENS (${tokens})`]
    : [];
}

/** @param folder makes a path absolute */
export const ingestionOf = (read: Read, folder: (path: string) => string) =>
  ({
    directories: read.CLARA_DOCUMENT_DIRS.map(folder),
    maxFileBytes: read.CLARA_MAX_UPLOAD_MB * MB,
    maxFiles: read.CLARA_MAX_UPLOAD_FILES,
    archives: {
      maxBytes: read.CLARA_ARCHIVE_MAX_MB * MB,
      maxEntries: read.CLARA_MAX_UPLOAD_FILES,
      maxRatio: read.CLARA_ARCHIVE_MAX_RATIO,
    },
    workers: read.CLARA_INGESTION_WORKERS,
    chunkTokens: read.CLARA_CHUNK_TOKENS,
    overlapTokens: read.CLARA_CHUNK_OVERLAP_TOKENS,
    uploadHours: read.CLARA_UPLOAD_HOURS,
  }) as const;
