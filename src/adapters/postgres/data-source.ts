import pg from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { JobConfigEntity, JobEntity, JobEventEntity } from '../../modules/training/job.entity.js';
import { PersonalTokenEntity, TicketEntity } from '../../modules/security/personal-token.entity.js';
import { grantsTo } from './grants.js';
import { Training1764000000000 } from './migrations/1764000000000-training.js';
import { Security1764000100000 } from './migrations/1764000100000-security.js';
import { Pki1764000200000 } from './migrations/1764000200000-pki.js';
import { Audit1764000300000 } from './migrations/1764000300000-audit.js';
import { Documents1764000400000 } from './migrations/1764000400000-documents.js';
import { Stores1764000500000 } from './migrations/1764000500000-stores.js';
import { Datasets1764000600000 } from './migrations/1764000600000-datasets.js';
import { Methods1764000650000 } from './migrations/1764000650000-methods.js';
import { Ocr1764000660000 } from './migrations/1764000660000-ocr.js';
import { Adapters1764000700000 } from './migrations/1764000700000-adapters.js';
import { Serving1764000800000 } from './migrations/1764000800000-serving.js';
import { Router1764000850000 } from './migrations/1764000850000-router.js';
import { OpenAi1764000900000 } from './migrations/1764000900000-openai.js';
import { Holders1764001000000 } from './migrations/1764001000000-holders.js';
import { RetiredSpaces1764001100000 } from './migrations/1764001100000-retired-spaces.js';

export interface PostgresConnection {
  /** A host name, or the folder of a Unix socket. */
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  /** The role that the application connects as, where it is not the owner of the tables. */
  app?: { user: string; password: string } | undefined;
}

/** The connection as the role that may do no more than the application needs. */
export const asApplication = ({ app, ...connection }: PostgresConnection): PostgresConnection => ({
  ...connection,
  ...app,
});

// Our bigints (counters, offsets) stay far below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const POOL_SIZE = 12;
const STATEMENT_TIMEOUT_MS = 30_000;

export function dataSourceOptions(connection: PostgresConnection): DataSourceOptions {
  return {
    type: 'postgres',
    host: connection.host,
    port: connection.port,
    username: connection.user,
    password: connection.password,
    database: connection.database,
    entities: [JobEntity, JobConfigEntity, JobEventEntity, PersonalTokenEntity, TicketEntity],
    migrations: [
      Training1764000000000,
      Security1764000100000,
      Pki1764000200000,
      Audit1764000300000,
      Documents1764000400000,
      Stores1764000500000,
      Datasets1764000600000,
      Methods1764000650000,
      Ocr1764000660000,
      Adapters1764000700000,
      Serving1764000800000,
      Router1764000850000,
      OpenAi1764000900000,
      Holders1764001000000,
      RetiredSpaces1764001100000,
    ],
    migrationsTableName: 'clara_migrations',
    synchronize: false,
    logging: false,
    installExtensions: false,
    uuidExtension: 'pgcrypto',
    poolSize: POOL_SIZE,
    connectTimeoutMS: 5000,
    applicationName: 'clara',
    extra: { statement_timeout: STATEMENT_TIMEOUT_MS, query_timeout: STATEMENT_TIMEOUT_MS + 5000, keepAlive: true },
  };
}

const MIGRATION_LOCK = 0x636c6172; // "clar": two applications that start at once migrate one after the other

/** Brings the schema up to date as the owner of the tables, and connects as the role of the application. */
export async function openDataSource(connection: PostgresConnection): Promise<DataSource> {
  const owner = await migrated(connection);
  if (!connection.app) return owner;
  await owner.destroy();
  return new DataSource(dataSourceOptions(asApplication(connection))).initialize();
}

async function migrated(connection: PostgresConnection): Promise<DataSource> {
  const source = await new DataSource(dataSourceOptions(connection)).initialize();
  const runner = source.createQueryRunner();
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await source.runMigrations({ transaction: 'each' });
    if (connection.app) await runner.query(grantsTo(connection.app.user));
  } catch (error) {
    await source.destroy();
    throw error;
  } finally {
    if (source.isInitialized) {
      await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
      await runner.release();
    }
  }
  return source;
}
