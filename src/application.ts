import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { ThisHost } from './adapters/host/this-host.js';
import { LocalLauncher } from './adapters/launchers/local-launcher.js';
import { TrainerInstallation } from './adapters/launchers/trainer-installation.js';
import type { PinoLog } from './adapters/logging/pino-log.js';
import { folderId } from './adapters/host/folder-id.js';
import { openDataSource, type PostgresConnection } from './adapters/postgres/data-source.js';
import { EmbeddedPostgres } from './adapters/postgres/embedded/embedded-postgres.js';
import { FolderLock } from './adapters/postgres/folder-lock.js';
import { PostgresNotifications } from './adapters/postgres/notifications.js';
import type { Settings } from './config/settings.js';
import { createHttpApplication } from './http-application.js';
import { Listeners } from './listeners.js';
import { DispatcherService } from './modules/training/dispatcher.service.js';
import { LiveServer } from './modules/realtime/live-server.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Running {
  /** Ends within 8 seconds. `workers`: what happens to trainings that run. */
  stop(workers: 'keep' | 'end'): Promise<void>;
}

interface Owned {
  folder: boolean;
}

/** Undoes, last first, what was opened. */
class Closers {
  readonly #closers: (() => Promise<void> | void)[] = [];

  add(closer: () => Promise<void> | void): void {
    this.#closers.unshift(closer);
  }

  async close(): Promise<void> {
    for (const closer of this.#closers.splice(0)) await Promise.resolve(closer()).catch(() => undefined);
  }
}

/** Starts everything in order; what was opened is closed again where a later step fails. */
export async function startApplication(
  settings: Settings,
  environment: Environment,
  log: PinoLog,
  fatal: (message: string) => void,
): Promise<Running> {
  const closers = new Closers();
  try {
    return await open(settings, environment, log, fatal, closers);
  } catch (error) {
    await closers.close();
    throw error;
  }
}

async function open(
  settings: Settings,
  environment: Environment,
  log: PinoLog,
  fatal: (message: string) => void,
  closers: Closers,
): Promise<Running> {
  const { folders } = settings;
  const owned: Owned = { folder: false };
  await mkdir(folders.data, { recursive: true, mode: 0o700 });
  const connection = settings.postgres ?? (await embedded(settings, log, owned, closers));
  await ownFolder(connection, folders.data, fatal, closers);
  owned.folder = true;
  const dataSource: DataSource = await openDataSource(connection);
  closers.add(() => dataSource.destroy());
  const wakeups = new PostgresNotifications(connection, (message) => log.warn(message));
  await wakeups.open();
  closers.add(() => wakeups.close());
  const trainer = new TrainerInstallation(
    {
      python: settings.training.python,
      trainer: folders.trainer,
      cache: folders.cache,
      baseModel: settings.training.baseModel,
    },
    environment,
    log,
  );
  closers.add(() => trainer.close());
  const host = await ThisHost.look(settings.training.hostId, environment);
  const launcher = new LocalLauncher(
    () => ({ python: trainer.python(), trainer: folders.trainer }),
    environment,
    (gpus) => host.visibleDevices(gpus),
  );
  const app = await createHttpApplication({ settings, log, dataSource, wakeups, host, environment: trainer, launcher });
  await app.init();
  closers.add(() => app.close());
  const live = app.get(LiveServer);
  const dispatcher = app.get(DispatcherService);
  const listeners = await Listeners.open(
    settings.http.host,
    settings.http.ports,
    app.getHttpAdapter().getInstance(),
    (servers) => live.attach(servers),
  );
  trainer.start();
  log.info('CLARA is up', {
    ports: settings.http.ports,
    host: settings.http.host,
    database: settings.postgres ? 'outside' : 'embedded',
  });
  return {
    stop: async (workers) => {
      const closing = Promise.all([live.close(), listeners.close()]);
      await dispatcher.stop(workers);
      await closing;
      await closers.close();
    },
  };
}

async function embedded(settings: Settings, log: PinoLog, owned: Owned, closers: Closers): Promise<PostgresConnection> {
  const { installPostgres } = (await import(join(settings.root, 'scripts', 'install-postgres.mjs'))) as {
    installPostgres(options: { cacheDir: string; python: string }): Promise<{ binDir: string }>;
  };
  const { binDir } = await installPostgres({ cacheDir: settings.folders.cache, python: settings.training.python });
  const postgres = new EmbeddedPostgres();
  const connection = await postgres.start({ dataDir: join(settings.folders.data, 'postgres'), binDir, log });
  // A PostgreSQL that turns out to be another application's is left to it.
  closers.add(() => (owned.folder ? postgres.stop() : postgres.release()));
  postgres.watch({
    onDown: (reason) => log.warn('the embedded PostgreSQL is down and is started again', { reason }),
    onUp: () => log.info('the embedded PostgreSQL is back'),
  });
  return connection;
}

async function ownFolder(
  connection: PostgresConnection,
  data: string,
  fatal: (message: string) => void,
  closers: Closers,
): Promise<void> {
  const taken = `the data folder ${await realpath(data)} belongs to another CLARA that runs; stop it, or set CLARA_DATA_DIR to another folder`;
  const lock = new FolderLock(connection, await folderId(data), () => fatal(taken));
  if (!(await lock.take())) throw new Error(taken);
  closers.add(() => lock.release());
}
