import { createHash } from 'node:crypto';
import pg from 'pg';
import type { PostgresConnection } from './data-source.js';

const PATIENCE_MS = 3000;
const RETRY_MS = 100;

/**
 * The data folder belongs to one application: the one that holds the session lock of its database named by the folder's id.
 * The lock goes with the connection, so a dead application holds nothing; a broken connection takes it again.
 */
export class FolderLock {
  #client: pg.Client | undefined;
  #released = false;

  constructor(
    private readonly connection: PostgresConnection,
    private readonly folder: string,
    private readonly onStolen: () => void,
  ) {}

  /** @returns false where another application holds the folder */
  async take(): Promise<boolean> {
    const client = new pg.Client({ ...this.connection, connectionTimeoutMillis: 5000, keepAlive: true });
    client.on('error', () => undefined);
    await client.connect();
    const until = Date.now() + PATIENCE_MS;
    while (!(await tryLock(client, this.folder))) {
      if (Date.now() > until) {
        await client.end();
        return false;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    client.on('end', () => void this.#again());
    this.#client = client;
    return true;
  }

  async release(): Promise<void> {
    this.#released = true;
    await this.#client?.end().catch(() => undefined);
  }

  async #again(): Promise<void> {
    while (!this.#released) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      const taken = await this.take().catch(() => undefined);
      if (taken === undefined) continue;
      if (!taken && !this.#released) this.onStolen();
      return;
    }
  }
}

async function tryLock(client: pg.Client, folder: string): Promise<boolean> {
  const key = createHash('sha256').update(folder).digest().readBigInt64BE().toString();
  const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [key]);
  return rows[0]?.taken === true;
}
