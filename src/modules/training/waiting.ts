import { isWaiting, type JobStatus } from './job-state.js';

/** What a waiting job waits for. */
export const waitingReasons = ['slot', 'gpu', 'disk', 'trainer', 'retry_delay'] as const;
export type WaitingFor = (typeof waitingReasons)[number];

/** The reason shown at a waiting job; `bottleneck` is what the head of the queue waits for. Pure. */
export function waitingFor(
  job: { status: JobStatus; not_before: Date },
  bottleneck: WaitingFor | undefined,
  now: number,
): WaitingFor | null {
  if (!isWaiting(job.status)) return null;
  if (bottleneck === 'trainer' || bottleneck === 'disk') return bottleneck;
  if (job.not_before.getTime() > now) return 'retry_delay';
  return bottleneck ?? null;
}
