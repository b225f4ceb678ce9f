/** Figures of the live updates, for those who measure. */
export abstract class LiveStats {
  /** Connections that are open now. */
  abstract openSockets(): Record<'websocket' | 'socketio' | 'sse', number>;
  /** Frames written since the start, all clients together. */
  abstract framesSent(): number;
  /** Subscriptions that are not up to date now: replaying, or of slow clients. */
  abstract clientsBehind(): number;
}
