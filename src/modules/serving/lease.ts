import type { EngineReply, EngineRequest } from './engine.port.js';

/** ok: it was answered. failed: counts against the replica. gone: the client left, which is nobody's fault. */
export type Outcome = 'ok' | 'failed' | 'gone';

/** The right to send one request to a replica; it counts as running there until it is released. */
export interface Lease {
  /** Id of the replica. */
  replica: string;
  /** What the request's `model` must say there. */
  engineName: string;
  /** At the deadline of an unload the reply's body fails with AnswerEnded. @throws EngineUnavailable before the head of the reply */
  send(request: EngineRequest): Promise<EngineReply>;
  /** Exactly once, when the answer has ended; more do nothing. */
  release(outcome: Outcome): void;
}

export interface LeaseOptions {
  /** Ends the wait; its reason is thrown. */
  signal: AbortSignal;
  /** Longest wait; unset: until the signal. */
  waitMs?: number;
  /** Replicas that failed this request already. */
  except: ReadonlySet<string>;
  /** Requests with the same key go to the same replica while load is even. */
  key?: string;
}

/** No engine here can answer for this target: another base, a folder that is gone, an adapter that is not taken. */
export class NotServable extends Error {}

/** So many requests wait already that one more would only wait in vain. */
export class Overloaded extends Error {}

/** What was waited for did not come in time. */
export class WaitedTooLong extends Error {}

/** The version was unloaded, and this answer did not end within the time it was given. */
export class AnswerEnded extends Error {}
