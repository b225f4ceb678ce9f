import { bool, str } from 'envalid';
import { decimal, whole } from './setting-kinds.js';

export const trainingSpecs = {
  CLARA_BASE_MODEL: str({
    default: undefined,
    desc: 'The model that "default" names: a hub id or a folder. Unset: a small one made on the spot.',
  }),
  CLARA_PYTHON: str({ default: 'python3', desc: 'Python (3.11 or newer) that the trainer environment is made with.' }),
  CLARA_ALLOW_REMOTE_CODE: bool({ default: false, desc: 'Let a configuration run code that comes with a model.' }),
  CLARA_ALLOW_PICKLE: bool({ default: false, desc: 'Let a base model be loaded from pickle files.' }),
  CLARA_MAX_CONCURRENT_JOBS: whole(1, 64)({ default: 2, desc: 'Trainings that run at the same time on this host.' }),
  CLARA_JOB_TIMEOUT_MINUTES: decimal(
    0.05,
    100_000,
  )({ default: 1440, desc: 'Longest time a job may run, over all attempts.' }),
  CLARA_MAX_ATTEMPTS: whole(1, 20)({ default: 3, desc: 'Attempts of a job whose worker was killed.' }),
  CLARA_RETRY_DELAY_SECONDS: decimal(
    0,
    3600,
  )({ default: 5, desc: 'Wait before the second attempt; it doubles with each further one.' }),
  CLARA_CANCEL_GRACE_SECONDS: decimal(
    0,
    3600,
  )({ default: 8, desc: 'Time a cancelled worker has to save before it is killed.' }),
  CLARA_STOP_WORKERS: str<'auto' | 'keep' | 'end'>({
    choices: ['auto', 'keep', 'end'],
    default: 'auto',
    desc: 'What stopping the application does to running trainings. auto: SIGTERM keeps them, Ctrl-C ends them.',
  }),
  CLARA_LEASE_SECONDS: decimal(
    1,
    3600,
  )({ default: 30, desc: 'After this long without a heartbeat another application takes a job over.' }),
  CLARA_ORPHAN_SECONDS: decimal(
    1,
    1_000_000,
  )({ default: undefined, desc: 'A worker that nobody supervises this long saves and ends itself. Unset: never.' }),
  CLARA_MIN_FREE_DISK_MB: whole(
    0,
    10_000_000,
  )({ default: 1024, desc: 'Free space in the data folder below which no job starts.' }),
  CLARA_EVENTS_DAYS: whole(1, 100_000)({ default: 90, desc: 'Days that the events of ended jobs are kept.' }),
  CLARA_HOST_ID: str({
    default: undefined,
    desc: 'Name of this host in the database. Unset: the machine id, else the host name.',
  }),
};

type Read = {
  CLARA_BASE_MODEL: string | undefined;
  CLARA_PYTHON: string;
  CLARA_ALLOW_REMOTE_CODE: boolean;
  CLARA_ALLOW_PICKLE: boolean;
  CLARA_MAX_CONCURRENT_JOBS: number;
  CLARA_JOB_TIMEOUT_MINUTES: number;
  CLARA_MAX_ATTEMPTS: number;
  CLARA_RETRY_DELAY_SECONDS: number;
  CLARA_CANCEL_GRACE_SECONDS: number;
  CLARA_STOP_WORKERS: 'auto' | 'keep' | 'end';
  CLARA_LEASE_SECONDS: number;
  CLARA_ORPHAN_SECONDS: number | undefined;
  CLARA_MIN_FREE_DISK_MB: number;
  CLARA_EVENTS_DAYS: number;
  CLARA_HOST_ID: string | undefined;
};

/** @param cores of this host */
export const trainingOf = (read: Read, cores: number) =>
  ({
    baseModel: read.CLARA_BASE_MODEL,
    python: read.CLARA_PYTHON,
    allowRemoteCode: read.CLARA_ALLOW_REMOTE_CODE,
    allowPickle: read.CLARA_ALLOW_PICKLE,
    maxConcurrentJobs: read.CLARA_MAX_CONCURRENT_JOBS,
    timeoutSeconds: read.CLARA_JOB_TIMEOUT_MINUTES * 60,
    maxAttempts: read.CLARA_MAX_ATTEMPTS,
    retryDelaySeconds: read.CLARA_RETRY_DELAY_SECONDS,
    cancelGraceSeconds: read.CLARA_CANCEL_GRACE_SECONDS,
    stopWorkers: read.CLARA_STOP_WORKERS,
    leaseSeconds: read.CLARA_LEASE_SECONDS,
    orphanSeconds: read.CLARA_ORPHAN_SECONDS,
    minFreeDiskBytes: read.CLARA_MIN_FREE_DISK_MB * 1024 * 1024,
    eventsDays: read.CLARA_EVENTS_DAYS,
    hostId: read.CLARA_HOST_ID,
    cores,
  }) as const;
