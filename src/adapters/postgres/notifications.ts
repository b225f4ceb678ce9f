import pg from 'pg';
import { Wakeups } from '../../kernel/wakeups.js';
import { messageOf } from '../../kernel/errors.js';
import type { PostgresConnection } from './data-source.js';

const RECONNECT_MS = 250;

/** LISTEN on a connection of its own that comes back after every break. */
export class PostgresNotifications extends Wakeups {
  readonly #listeners = new Map<string, Set<(payload: string) => void>>();
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #listening: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly connection: PostgresConnection,
    private readonly warn: (message: string) => void,
  ) {
    super();
  }

  async open(): Promise<void> {
    const client = new pg.Client({ ...this.connection, connectionTimeoutMillis: 5000, keepAlive: true });
    client.on('notification', ({ channel, payload }) => this.#call(channel, payload ?? ''));
    client.on('error', (error) => this.#lost(client, error));
    client.on('end', () => this.#lost(client, undefined));
    try {
      await client.connect();
      for (const channel of this.#listeners.keys()) await client.query(`LISTEN ${channel}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    if (this.#closed) await client.end();
    else this.#client = client;
  }

  on(channel: string, listener: (payload: string) => void): () => void {
    const known = this.#listeners.get(channel);
    const set = known ?? new Set();
    set.add(listener);
    this.#listeners.set(channel, set);
    if (!known) this.#listen(channel);
    return () => void set.delete(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }

  /** One after the other: a connection takes one statement at a time. */
  #listen(channel: string): void {
    this.#listening = this.#listening
      .then(() => this.#client?.query(`LISTEN ${channel}`))
      .catch((error: unknown) => this.warn(messageOf(error)));
  }

  #call(channel: string, payload: string): void {
    for (const listener of this.#listeners.get(channel) ?? []) listener(payload);
  }

  #lost(client: pg.Client, error: Error | undefined): void {
    if (this.#closed || this.#client !== client) return;
    this.#client = undefined;
    if (error) this.warn(`The notification connection to PostgreSQL broke: ${error.message}`);
    this.#retry();
  }

  #retry(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.open().then(
        () => [...this.#listeners.keys()].forEach((channel) => this.#call(channel, '')),
        () => this.#retry(),
      );
    }, RECONNECT_MS);
  }
}
