import type { CompletedJob } from './completed-adapter.port.js';

/** Jobs that are completed and have an adapter. */
export abstract class CompletedJobs {
  /** With a higher sequence number, in its order. */
  abstract after(seq: number, limit: number): Promise<CompletedJob[]>;
}
