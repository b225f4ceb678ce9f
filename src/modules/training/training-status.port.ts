import type { JobStatus } from './job-state.js';

/** What other modules may ask about the jobs as a whole. */
export abstract class TrainingStatus {
  /** Jobs that are pending, queued or running. */
  abstract activeCount(): Promise<number>;
  abstract counts(): Promise<Record<JobStatus, number>>;
}
