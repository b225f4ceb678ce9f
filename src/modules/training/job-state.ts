/**
 * pending: recorded. queued: a dispatcher has seen it, it waits for its turn. running: claimed, a worker trains.
 * paused: by a person, until a person lets it go on; it holds no slot.
 */
export const jobStatuses = ['pending', 'queued', 'running', 'paused', 'completed', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof jobStatuses)[number];

export const trainerTypes = ['lora', 'qlora', 'continuous'] as const;
export type TrainerType = (typeof trainerTypes)[number];

/** What an adapter learns from: answers, or which of two answers is preferred (DPO). */
export const trainingMethods = ['supervised', 'dpo'] as const;
export type TrainingMethod = (typeof trainingMethods)[number];

/**
 * Every allowed change of status; anything else is a bug.
 * running -> queued: another attempt follows. failed and cancelled -> pending: a person asked for a retry.
 */
const transitions: Record<JobStatus, readonly JobStatus[]> = {
  pending: ['queued', 'paused', 'cancelled', 'failed'],
  queued: ['running', 'paused', 'cancelled', 'failed'],
  running: ['queued', 'paused', 'completed', 'failed', 'cancelled'],
  paused: ['queued', 'cancelled'],
  completed: [],
  failed: ['pending'],
  cancelled: ['pending'],
};

export const waitingStatuses = ['pending', 'queued'] as const satisfies JobStatus[];
/** Not ended, and no worker trains it: it can be changed and cancelled at once. */
export const idleStatuses = [...waitingStatuses, 'paused'] as const satisfies JobStatus[];
export const activeStatuses = [...waitingStatuses, 'running', 'paused'] as const satisfies JobStatus[];

export const canBecome = (from: JobStatus, to: JobStatus): boolean => transitions[from].includes(to);
export const isFinal = (status: JobStatus): boolean => ['completed', 'failed', 'cancelled'].includes(status);
export const isWaiting = (status: JobStatus): boolean => status === 'pending' || status === 'queued';

/** The statuses a job may come from to become `to`: the guard of every UPDATE. */
export const sourcesOf = (to: JobStatus): JobStatus[] => jobStatuses.filter((from) => canBecome(from, to));

/** What clients of the training API and of the sockets see: they know six statuses, and a paused job waits. */
export const shownStatuses = ['pending', 'queued', 'running', 'completed', 'failed', 'cancelled'] as const;
export type ShownStatus = (typeof shownStatuses)[number];

export const shownStatus = (status: JobStatus): ShownStatus => (status === 'paused' ? 'pending' : status);

/** The statuses that are shown as `shown`. */
export const hiddenBehind = (shown: ShownStatus): JobStatus[] =>
  jobStatuses.filter((status) => shownStatus(status) === shown);
