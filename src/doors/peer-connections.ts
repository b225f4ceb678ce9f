import type { TLSSocket } from 'node:tls';

interface Peer {
  serial: string;
  /** Milliseconds since 1970 at which the certificate ends. */
  endsAt: number;
  sockets: Set<TLSSocket>;
}

/** A serial as every source of them writes it: lower case, no zeros in front. */
const normal = (serial: string): string => serial.toLowerCase().replace(/^0+/, '');

/** The open connections of each client certificate, so that they can be closed when it ends. */
export class PeerConnections {
  readonly #peers = new Map<string, Peer>();

  add(serial: string, endsAt: number, socket: TLSSocket): void {
    const key = normal(serial);
    const peer = this.#peers.get(key) ?? { serial, endsAt, sockets: new Set() };
    this.#peers.set(key, peer);
    if (peer.sockets.has(socket)) return;
    peer.sockets.add(socket);
    socket.once('close', () => {
      peer.sockets.delete(socket);
      if (peer.sockets.size === 0 && this.#peers.get(key) === peer) this.#peers.delete(key);
    });
  }

  /** Closes the connections of these certificates. @returns how many */
  close(serials: readonly string[]): number {
    const sockets = serials.flatMap((serial) => [...(this.#peers.get(normal(serial))?.sockets ?? [])]);
    for (const socket of sockets) socket.destroy();
    return sockets.length;
  }

  /** Certificates with open connections that have ended by `now`, or that `isRevoked`. */
  ended(now: number, isRevoked: (serial: string) => boolean): string[] {
    const ended = [...this.#peers.values()].filter(({ serial, endsAt }) => endsAt <= now || isRevoked(serial));
    return ended.map(({ serial }) => serial);
  }
}
