import type { WebSocket } from 'ws';

/** Pings all peers now and then, and cuts off those that do not answer. */
export class Heartbeat {
  readonly #missed = new Map<WebSocket, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(
    intervalMs: number,
    private readonly allowed: number,
  ) {
    this.#timer = setInterval(() => this.#beat(), intervalMs);
    this.#timer.unref();
  }

  watch(client: WebSocket): void {
    this.#missed.set(client, 0);
    client.on('pong', () => this.#missed.set(client, 0));
    client.once('close', () => this.#missed.delete(client));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #beat(): void {
    for (const [client, missed] of this.#missed) {
      if (missed >= this.allowed) client.terminate();
      else if (client.readyState === client.OPEN) client.ping();
      this.#missed.set(client, missed + 1);
    }
  }
}
