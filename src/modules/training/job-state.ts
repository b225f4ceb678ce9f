/** pending: recorded. queued: a dispatcher has seen it, it waits for its turn. running: claimed, a worker trains. */
export const jobStatuses = ['pending', 'queued', 'running', 'completed', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof jobStatuses)[number];

export const trainerTypes = ['lora', 'qlora', 'continuous'] as const;
export type TrainerType = (typeof trainerTypes)[number];

/**
 * Every allowed change of status; anything else is a bug.
 * running -> queued: another attempt follows. failed and cancelled -> pending: a person asked for a retry.
 */
const transitions: Record<JobStatus, readonly JobStatus[]> = {
  pending: ['queued', 'cancelled', 'failed'],
  queued: ['running', 'cancelled', 'failed'],
  running: ['queued', 'completed', 'failed', 'cancelled'],
  completed: [],
  failed: ['pending'],
  cancelled: ['pending'],
};

export const waitingStatuses = ['pending', 'queued'] as const satisfies JobStatus[];
export const activeStatuses = ['pending', 'queued', 'running'] as const satisfies JobStatus[];

export const canBecome = (from: JobStatus, to: JobStatus): boolean => transitions[from].includes(to);
export const isFinal = (status: JobStatus): boolean => ['completed', 'failed', 'cancelled'].includes(status);
export const isWaiting = (status: JobStatus): boolean => status === 'pending' || status === 'queued';

/** The statuses a job may come from to become `to`: the guard of every UPDATE. */
export const sourcesOf = (to: JobStatus): JobStatus[] => jobStatuses.filter((from) => canBecome(from, to));
