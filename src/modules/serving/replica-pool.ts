import type { Lease, LeaseOptions } from './lease.js';
import type { Target } from './targets.js';

/** The replicas that answer, and who gets to send to which. */
export abstract class ReplicaPool {
  /**
   * A replica that holds the target, by even load; wakes and loads, and waits for it, until the signal.
   * @throws EngineUnavailable the start failed; NotServable; Overloaded; the signal's reason
   */
  abstract lease(target: Target, options: LeaseOptions): Promise<Lease>;
  /** Whether a request that failed before its first token may be tried on another replica: retries are at most a share of all. */
  abstract mayRetry(): boolean;
  /** Resolves when no answer of the version runs, or at the deadline. @returns how many still run */
  abstract drain(versionId: string, deadlineMs: number): Promise<number>;
}
