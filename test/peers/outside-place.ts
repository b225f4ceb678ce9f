import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Replica } from '../../src/modules/documents/replica.port.js';
import type { Place } from '../fixtures/stores/replica-contract.js';

const PATIENCE_MS = 500;

type Address = { host: string; port: number };

/** A store at its server, and those of the same kind where nobody listens and where nobody answers. */
export class OutsidePlace<T extends Replica> implements Place<T> {
  readonly store: T;
  readonly away: T[];
  readonly secrets: string[];
  readonly #silent: Server;
  readonly #sockets: ReadonlySet<Socket>;

  private constructor(
    make: (at: Address, timeoutMs?: number) => T,
    { host, port }: Address,
    { secrets, silent, sockets }: { secrets: string[]; silent: Server; sockets: ReadonlySet<Socket> },
  ) {
    this.secrets = secrets;
    this.#silent = silent;
    this.#sockets = sockets;
    // Port 1 is closed on every machine that tests run on.
    const ports = [1, (silent.address() as AddressInfo).port];
    this.store = make({ host, port });
    this.away = ports.map((each) => make({ host, port: each }, PATIENCE_MS));
  }

  static async open<T extends Replica>(
    { secrets, ...at }: Address & { secrets: string[] },
    make: (at: Address, timeoutMs?: number) => T,
  ): Promise<OutsidePlace<T>> {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    return new OutsidePlace(make, at, { secrets, silent, sockets });
  }

  async close(): Promise<void> {
    await Promise.all([this.store, ...this.away].map((each) => each.close()));
    for (const socket of this.#sockets) socket.destroy();
    this.#silent.close();
  }
}
