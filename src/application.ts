import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { INestApplication } from '@nestjs/common';
import type { Express } from 'express';
import { Registry } from 'prom-client';
import type { DataSource } from 'typeorm';
import { ThisHost } from './adapters/host/this-host.js';
import { ProcessExporter } from './adapters/exporters/process-exporter.js';
import { openEngines } from './adapters/engines/open-engines.js';
import { openDocuments } from './adapters/open-documents.js';
import { LocalLauncher } from './adapters/launchers/local-launcher.js';
import { TrainerInstallation } from './adapters/launchers/trainer-installation.js';
import type { PinoLog } from './adapters/logging/pino-log.js';
import { folderId } from './kernel/folder-id.js';
import { asApplication, openDataSource, type PostgresConnection } from './adapters/postgres/data-source.js';
import { EmbeddedPostgres } from './adapters/postgres/embedded/embedded-postgres.js';
import { openTracing } from './adapters/telemetry/open-tracing.js';
import { FolderLock } from './adapters/postgres/folder-lock.js';
import { PostgresNotifications } from './adapters/postgres/notifications.js';
import type { Settings } from './config/settings.js';
import { createHttpApplication } from './http-application.js';
import { addTlsMetrics } from './doors/door-metrics.js';
import { doorsOf } from './doors/doors.js';
import { expressMessages } from './doors/express-messages.js';
import { Listeners } from './doors/listeners.js';
import { Clock, SystemClock } from './kernel/clock.js';
import { ServiceIdentity } from './modules/pki/service-identity.port.js';
import { DispatcherService } from './modules/training/dispatcher.service.js';
import type { HandshakeFailure } from './doors/handshake-failure.js';
import { AuditTrail } from './modules/audit/audit.port.js';
import { LiveServer } from './modules/realtime/live-server.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Running {
  /** Ends within 8 seconds. `workers`: what happens to trainings that run. */
  stop(workers: 'keep' | 'end'): Promise<void>;
}

interface Start {
  settings: Settings;
  environment: Environment;
  log: PinoLog;
  /** Ends the process: the database belongs to another application now. */
  fatal: (message: string) => void;
  closers: Closers;
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
    return await open({ settings, environment, log, fatal, closers });
  } catch (error) {
    await closers.close();
    throw error;
  }
}

async function open(start: Start): Promise<Running> {
  const { settings, environment, log, closers } = start;
  const connection = await ownDatabase(start);
  const dataSource: DataSource = await openDataSource(connection);
  closers.add(() => dataSource.destroy());
  const wakeups = new PostgresNotifications(asApplication(connection), (message) => log.warn(message));
  await wakeups.open();
  closers.add(() => wakeups.close());
  const host = await ThisHost.look(settings.training.hostId, environment);
  const trainer = trainerOf(start);
  const launcher = launcherOf(start, trainer, host);
  const documents = openDocuments(settings, dataSource, { trainer, environment, log, clock: new SystemClock() });
  closers.add(() => documents.close());
  const engines = openEngines(settings, { trainer, host, environment, log, clock: new SystemClock() });
  closers.add(() => engines.close());
  const tracing = await openTracing(settings, log);
  closers.add(() => tracing.close());
  const opened = { launcher, documents, engines, tracing, exporter: exporterOf(start, trainer) };
  const outside = { settings, log, dataSource, wakeups, host, environment: trainer, ...opened };
  const app = await createHttpApplication(outside);
  await app.init();
  closers.add(() => app.close());
  const live = app.get(LiveServer);
  const dispatcher = app.get(DispatcherService);
  const { host: address, ports } = settings.http;
  const listeners = await openDoors(app, start);
  trainer.start();
  log.info('CLARA is up', { ports, host: address, database: settings.postgres ? 'outside' : 'embedded' });
  return {
    stop: async (workers) => {
      // With the doors, not after them: running answers end with their engine.
      const closing = Promise.all([live.close(), listeners.close(), engines.close()]);
      await dispatcher.stop(workers);
      await closing;
      await closers.close();
    },
  };
}

function launcherOf({ settings, environment }: Start, trainer: TrainerInstallation, host: ThisHost): LocalLauncher {
  const place = () => ({ python: trainer.python(), trainer: settings.folders.trainer });
  return new LocalLauncher(place, environment, (gpus) => host.visibleDevices(gpus));
}

function exporterOf({ settings, environment }: Start, trainer: TrainerInstallation): ProcessExporter {
  const threads = settings.training.cores;
  return new ProcessExporter({
    python: () => trainer.python(),
    trainer: settings.folders.trainer,
    threads,
    environment,
  });
}

function openDoors(app: INestApplication, { settings, log }: Start): Promise<Listeners> {
  const identity = app.get<ServiceIdentity | undefined>(ServiceIdentity, { strict: false });
  const doors = doorsOf(settings);
  if (identity)
    log.info('the doors speak TLS', { doors: doors.map(({ setting, protocol }) => `${setting} ${protocol}`) });
  const count = identity ? addTlsMetrics(app.get(Registry), identity) : () => undefined;
  const audit = app.get(AuditTrail, { strict: false });
  const handshakeFailed = (reason: HandshakeFailure, address: string): void => {
    count(reason);
    audit.refused({ address, requestId: '', certificate: null }, { action: 'tls.handshake', detail: { reason } });
  };
  const express: Express = app.getHttpAdapter().getInstance();
  return Listeners.open(doors, {
    identity,
    handler: express,
    messages: expressMessages(express),
    attach: (servers) => app.get(LiveServer).attach(servers),
    watch: { log, clock: app.get(Clock), handshakeFailed },
  });
}

function trainerOf({ settings, environment, log, closers }: Start): TrainerInstallation {
  const { python, baseModel } = settings.training;
  const { trainer, cache } = settings.folders;
  const installation = new TrainerInstallation({ python, trainer, cache, baseModel }, environment, log);
  closers.add(() => installation.close());
  return installation;
}

/** The database, and with it the data folder, for this application alone. */
async function ownDatabase({ settings, log, fatal, closers }: Start): Promise<PostgresConnection> {
  const { folders } = settings;
  let isOwner = false;
  await mkdir(folders.data, { recursive: true, mode: 0o700 });
  const embedded = new EmbeddedPostgres();
  const connection = settings.postgres ?? (await startEmbedded(embedded, settings, log));
  // A PostgreSQL that turns out to be another application's is left to it.
  if (!settings.postgres) closers.add(() => (isOwner ? embedded.stop() : embedded.release()));
  const taken = `the data folder ${await realpath(folders.data)} belongs to another CLARA that runs; stop it, or set CLARA_DATA_DIR to another folder`;
  const lock = new FolderLock(asApplication(connection), await folderId(folders.data), () => fatal(taken));
  if (!(await lock.take())) throw new Error(taken);
  closers.add(() => lock.release());
  isOwner = true;
  return connection;
}

async function startEmbedded(
  postgres: EmbeddedPostgres,
  settings: Settings,
  log: PinoLog,
): Promise<PostgresConnection> {
  const { installPostgres } = (await import(join(settings.root, 'scripts', 'install-postgres.mjs'))) as {
    installPostgres: (options: { cacheDir: string; python: string }) => Promise<{ binDir: string }>;
  };
  const { binDir } = await installPostgres({ cacheDir: settings.folders.cache, python: settings.training.python });
  const connection = await postgres.start({ dataDir: join(settings.folders.data, 'postgres'), binDir, log });
  postgres.watch({
    onDown: (reason) => log.warn('the embedded PostgreSQL is down and is started again', { reason }),
    onUp: () => log.info('the embedded PostgreSQL is back'),
  });
  return connection;
}
