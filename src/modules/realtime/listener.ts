import type { Blockade } from './delivery.js';
import type { LiveFrame } from './live-frame.js';

/** The way to one client. */
export interface Outlet {
  /** Bytes that were given to `send` and that the client has not taken yet. */
  backlog(): number;
  send(frames: readonly LiveFrame[]): void;
  /** Ends the connection and says why. */
  close(reason: string): void;
}

/** One subscription of a client: which events, and up to which it got them. */
export class Listener {
  /** Set while the client is too slow to be written to. */
  blockade: Blockade | undefined;
  ended = false;

  constructor(
    readonly outlet: Outlet,
    /** The job whose events it wants; undefined: all. */
    readonly jobId: string | undefined,
    /** Stream number of the last event it got, or did not want. */
    public cursor: number,
  ) {}
}
