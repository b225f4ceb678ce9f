import { rmdir } from 'node:fs/promises';
import { bringUp } from './bring-up.js';
import type { Running } from './bring-up.js';
import type { EmbeddedPostgresConnection, EmbeddedPostgresOptions } from './embedded-postgres.types.js';
import { ProcessTable } from './process-table.js';
import type { Site } from './site.js';
import { openSite } from './site.js';
import { watch } from './watch.js';

export interface EmbeddedPostgresWatcher {
  /** The server is gone and is being started again; open connections are broken. Once per outage. */
  onDown(reason: string): void;
  /** It answers again; with transport tcp the port may be another one. */
  onUp(connection: EmbeddedPostgresConnection): void;
}

/**
 * A real PostgreSQL with pgvector that lives in a data folder and runs in a session of its own: it survives the death
 * of the application, and the next start() on that folder adopts it. One start() an instance.
 */
export class EmbeddedPostgres {
  private readonly ending = new AbortController();
  private site: Site | undefined;
  private running: Running | undefined;
  private watching: Promise<void> = Promise.resolve();

  constructor(private readonly processes: ProcessTable = ProcessTable.ofThisMachine()) {}

  /** Makes the database on the first call for a folder. Throws EmbeddedPostgresError, or the reason of the signal. */
  async start(options: EmbeddedPostgresOptions & { signal?: AbortSignal }): Promise<EmbeddedPostgresConnection> {
    const signals = [this.ending.signal, ...(options.signal ? [options.signal] : [])];
    this.site = await openSite(options, this.processes);
    this.running = await bringUp(this.site, AbortSignal.any(signals));
    const { adopted, postmaster, connection } = this.running;
    options.log.info(`PostgreSQL ${adopted ? 'adopted' : 'started'} (pid ${postmaster.pid}, ${connection.host})`);
    return connection;
  }

  /** Whether start() found a server that was running already. */
  get adopted(): boolean {
    return this.running?.adopted ?? false;
  }

  /** Starts the server again, with growing pauses, whenever it dies. */
  watch(watcher: EmbeddedPostgresWatcher): void {
    const { site, running } = this;
    if (!site || !running) throw new Error('watch() before start()');
    const onUp = (again: Running) => {
      this.running = again;
      site.log.info(`PostgreSQL is back (pid ${again.postmaster.pid})`);
      watcher.onUp(again.connection);
    };
    const onDown = (reason: string) => {
      site.log.warn(reason);
      watcher.onDown(reason);
    };
    this.watching = watch(site, running, { onDown, onUp }, this.ending.signal).catch((error: unknown) =>
      site.log.warn(`PostgreSQL is no longer watched: ${String(error)}`),
    );
  }

  /** Ends the watch and leaves the server to others: for an application that finds the folder taken. */
  async release(): Promise<void> {
    this.ending.abort(new Error('the embedded PostgreSQL is being stopped'));
    await this.watching;
  }

  /** Ends the server, within 7 s at worst; nothing of it runs any more afterwards. */
  async stop(): Promise<void> {
    await this.release();
    if (!this.site || !this.running) return;
    await this.site.control.shutdown(this.running.postmaster);
    await removeShortFolder(this.running.connection.host);
    this.running = undefined;
  }
}

/** The one that replaces a too long path; the next start makes it again. */
async function removeShortFolder(host: string): Promise<void> {
  if (host.startsWith('/tmp/clara-')) await rmdir(host).catch(() => undefined);
}
