import type { ShownStatus } from './job-state.js';

export { isFinal } from './job-state.js';

/** What a listener needs to show a job without asking for it. */
export interface JobSnapshot {
  status: ShownStatus;
  /** It stands as `pending` and waits for its resume; events from before there was that do not say. */
  paused?: boolean;
  progress_percent: number;
  current_epoch: number;
  total_epochs: number;
  current_step: number;
  total_steps: number;
  seconds_left: number | null;
  metrics: Record<string, unknown> | null;
}

export interface JobEvent {
  /** Position in the stream of all jobs: ascending in commit order, with gaps. */
  stream: number;
  job_id: string;
  /** Position among the events of this job: 1, 2, 3 … */
  number: number;
  /** ISO 8601, UTC. */
  time: string;
  type: string;
  step: number | null;
  data: Record<string, unknown> & { job: JobSnapshot };
}

/** The numbered event log, as its followers read it. */
export abstract class JobEventFeed {
  /** Newest stream number; 0 when there is no event. */
  abstract newest(): Promise<number>;
  /** From this stream number on nothing was removed; 0 when there is no event. */
  abstract oldest(): Promise<number>;
  abstract exists(jobId: string): Promise<boolean>;
  /** Events behind `after` in stream order, at most `limit`, of one job where `jobId` is given. */
  abstract read(after: number, limit: number, jobId?: string): Promise<JobEvent[]>;
  /** Events of one job behind its own number `after`, in that order, at most `limit`. */
  abstract readJob(jobId: string, after: number, limit: number): Promise<JobEvent[]>;
  /** The present state of the jobs that are not ended (or of the one named), for a client that lost its place. */
  abstract snapshots(jobId?: string): Promise<{ stream: number; jobs: ({ job_id: string } & JobSnapshot)[] }>;
  /** Calls back soon after new events can be read; the returned function ends it. */
  abstract onNews(listener: () => void): () => void;
}
