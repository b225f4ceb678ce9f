import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Outlet } from './listener.js';
import type { LiveFrame } from './live-frame.js';

/** WebSocket close codes (RFC 6455, section 7.4.1; 1013 from its registry). */
export const GOING_AWAY = 1001;
const TRY_AGAIN_LATER = 1013;
/** Of the range for applications: the token has expired or was revoked. */
export const CREDENTIALS_ENDED = 4401;
/** Time for the close frame of a client that takes nothing. */
const LINGER_MS = 1000;

/** The way to the client of a plain WebSocket. */
export class PlainOutlet implements Outlet {
  constructor(
    private readonly client: WebSocket,
    private readonly socket: Duplex,
  ) {}

  backlog(): number {
    return this.client.bufferedAmount;
  }

  /** One write to the network for all frames, whose bytes all clients share. */
  send(frames: readonly LiveFrame[]): void {
    this.socket.cork();
    for (const frame of frames) this.client.send(frame.text, { binary: false });
    this.socket.uncork();
  }

  close(reason: string): void {
    this.client.close(TRY_AGAIN_LATER, reason);
    setTimeout(() => this.client.terminate(), LINGER_MS).unref();
  }
}
