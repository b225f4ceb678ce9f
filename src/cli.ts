import 'reflect-metadata';
import { join } from 'node:path';
import { Command } from 'commander';
import type { DataSource } from 'typeorm';
import { openDocuments } from './adapters/open-documents.js';
import { openDataSource, type PostgresConnection } from './adapters/postgres/data-source.js';
import { EmbeddedPostgres } from './adapters/postgres/embedded/embedded-postgres.js';
import { readSettings, type Settings } from './config/settings.js';
import { addConfigCommand } from './config/config.commands.js';
import type { Environment } from './application.js';
import { SystemClock } from './kernel/clock.js';
import type { Log } from './kernel/log.js';
import { openAudit, type AuditParts } from './modules/audit/audit-parts.js';
import { NoAuditTrail } from './modules/audit/audit.port.js';
import { addAuditCommands } from './modules/audit/audit.commands.js';
import { addDocumentCommands } from './modules/documents/documents.commands.js';
import { Reconciliation } from './modules/documents/reconciliation.js';
import { StoreTargets } from './modules/documents/store-targets.js';
import { VectorSpaces } from './modules/documents/vector-spaces.js';
import { addPkiCommands } from './modules/pki/pki.commands.js';

/** What a command works on; closed when it has ended. */
export interface CommandContext {
  settings: Settings;
  dataSource: DataSource;
}

const silent: Log = { debug: () => undefined, info: () => undefined, warn: console.error, error: console.error };
const quiet = { info: () => undefined, warn: (message: string) => console.error(message) };

/** The commands of `npx clara`. They work on the database and the data folder, whether the application runs or not. */
export function commandLine(env: Environment, root: string): Command {
  const program = new Command('clara').description('Administration of CLARA from a shell');
  addAuditCommands(program, (work) =>
    withContext(env, root, (context) => withTrail(context, (parts) => work(parts, context.dataSource))),
  );
  addPkiCommands(program, (work) =>
    withContext(env, root, async (context) => {
      if (!context.settings.audit.enabled) return work({ ...context, audit: new NoAuditTrail() });
      return withTrail(context, ({ trail }) => work({ ...context, audit: trail }));
    }),
  );
  addDocumentCommands(program, (work) => withContext(env, root, (context) => withStores(context, env, work)));
  addConfigCommand(program, env, root);
  return program;
}

/** The stores alone: no model is loaded for a command. */
async function withStores(
  { settings, dataSource }: CommandContext,
  environment: Environment,
  work: (reconciliation: Reconciliation) => Promise<void>,
): Promise<void> {
  const trainer = { status: () => ({ ready: false as const, reason: 'a command needs no model' }), python: () => '' };
  const documents = openDocuments(settings, dataSource, {
    trainer,
    environment,
    log: silent,
    clock: new SystemClock(),
  });
  const { vectors, graph, documents: whole, embedder, past } = documents.parts;
  const spaces = new VectorSpaces(dataSource, embedder, vectors, past, silent);
  const targets = new StoreTargets(vectors, graph, whole, embedder, spaces);
  return work(new Reconciliation(dataSource, targets)).finally(() => documents.close());
}

/** What a command changes stands in the trail, too. */
async function withTrail<T>(
  { settings, dataSource }: CommandContext,
  work: (parts: AuditParts) => Promise<T>,
): Promise<T> {
  const parts = await openAudit(settings, dataSource, silent);
  return work(parts).finally(() => parts.trail.close(0));
}

/** Runs `work` on the database of the settings; an embedded one that nobody runs is started for it and stopped again. */
export async function withContext<T>(
  env: Environment,
  root: string,
  work: (context: CommandContext) => Promise<T>,
): Promise<T> {
  const settings = readSettings(env, root);
  const embedded = new EmbeddedPostgres();
  const started = settings.postgres ? undefined : await startEmbedded(embedded, settings);
  const dataSource = await openDataSource(settings.postgres ?? (started as PostgresConnection));
  try {
    return await work({ settings, dataSource });
  } finally {
    await dataSource.destroy();
    // The server of an application that runs is left to it.
    await (embedded.adopted ? embedded.release() : embedded.stop());
  }
}

async function startEmbedded(postgres: EmbeddedPostgres, settings: Settings): Promise<PostgresConnection> {
  const { installPostgres } = (await import(join(settings.root, 'scripts', 'install-postgres.mjs'))) as {
    installPostgres: (options: { cacheDir: string; python: string }) => Promise<{ binDir: string }>;
  };
  const { binDir } = await installPostgres({ cacheDir: settings.folders.cache, python: settings.training.python });
  return postgres.start({ dataDir: join(settings.folders.data, 'postgres'), binDir, log: quiet });
}
