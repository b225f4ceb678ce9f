import type { Socket } from 'socket.io';
import type { Outlet } from './listener.js';
import type { LiveFrame } from './live-frame.js';

type Engine = Socket['conn'];

/** Bytes that an engine holds back because its client does not take what it got before. */
interface Held {
  bytes: number;
}

const heldBy = new WeakMap<Engine, Held>();

/** One count an engine, though its client may leave the namespace and join it again. */
function watch(engine: Engine): Held {
  const known = heldBy.get(engine);
  if (known) return known;
  const held = { bytes: 0 };
  heldBy.set(engine, held);
  // The engine says so when it has given all it holds to the transport.
  engine.on('drain', () => (held.bytes = 0));
  return held;
}

/** The way to the client of a Socket.IO connection, over whatever transport it has at the moment. */
export class SocketIoOutlet implements Outlet {
  readonly #engine: Engine;
  readonly #held: Held;

  constructor(private readonly socket: Socket) {
    this.#engine = socket.conn;
    this.#held = watch(socket.conn);
  }

  backlog(): number {
    return this.#held.bytes;
  }

  /** Writes packets that were encoded once for all clients. */
  send(frames: readonly LiveFrame[]): void {
    for (const frame of frames) {
      this.#held.bytes += frame.packet.length;
      this.#engine.write(frame.packet);
    }
  }

  close(reason: string): void {
    this.socket.emit('error', { type: 'error', message: reason });
    this.#engine.close(true);
  }
}
