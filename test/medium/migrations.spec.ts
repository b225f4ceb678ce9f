import type { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../src/adapters/postgres/data-source.js';
import { runSql, TestDatabases } from '../fixtures/test-database.js';

import.meta.jest.setTimeout(120_000);

const SCHEMA = `
SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '') AS line
  FROM information_schema.columns WHERE table_schema = 'public' AND table_name ~ '^(training|security|pki|audit|documents|search|ingestion|store|dataset|adapter|openai)_'
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename ~ '^(training|security|pki|audit|documents|search|ingestion|store|dataset|adapter|openai)_'
UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE proname ~ '^(training|security|pki|audit|documents|search|ingestion|store|dataset|adapter|openai)_' ORDER BY 1`;

describe('the migrations', () => {
  let databases: TestDatabases;

  beforeAll(async () => {
    databases = await TestDatabases.open();
  });
  afterAll(() => databases.close());

  const schemaOf = async (source: DataSource): Promise<string[]> =>
    ((await source.query(SCHEMA)) as { line: string }[]).map(({ line }) => line);

  /** As the owner of the tables. */
  const owner = async (): Promise<DataSource> => databases.source({ ...(await databases.create()), app: undefined });

  it('can be taken back and made again, with the same result', async () => {
    const source = await owner();
    const before = await schemaOf(source);
    expect(before.length).toBeGreaterThan(50);
    for (const _ of source.migrations) await source.undoLastMigration();
    expect(await schemaOf(source)).toEqual([]);
    await source.runMigrations();
    expect(await schemaOf(source)).toEqual(before);
  });

  it('make what the entities say: nothing would be changed by a synchronisation', async () => {
    const source = await owner();
    const log = await source.driver.createSchemaBuilder().log();
    expect(log.upQueries.map(({ query }) => query).filter((query) => !isOurs(query))).toEqual([]);
  });

  it('are run once when several applications start at the same time', async () => {
    const connection = { ...databases.admin, database: 'clara_test_empty' };
    await runSql(databases.admin, 'DROP DATABASE IF EXISTS clara_test_empty WITH (FORCE)');
    await runSql(databases.admin, 'CREATE DATABASE clara_test_empty');
    const sources = await Promise.all([1, 2, 3].map(() => databases.source(connection)));
    const [source] = sources;
    expect(await source?.query('SELECT count(*)::int AS runs FROM clara_migrations')).toEqual([
      { runs: source?.migrations.length },
    ]);
    await Promise.all(sources.map((each) => each.destroy()));
    await runSql(databases.admin, 'DROP DATABASE clara_test_empty WITH (FORCE)');
  });

  it('are the only thing that changes the schema', () => {
    expect(dataSourceOptions(databases.admin).synchronize).toBe(false);
  });
});

/** Partial indexes, checks and foreign keys stand in the migrations alone: TypeORM would drop what it does not know. */
const ours = [
  /^DROP INDEX "public"\."training_jobs_(waiting|running|adapters|cancelling)"/,
  /^DROP INDEX "public"\."training_job_events_unnumbered"/,
  /^ALTER TABLE "training_\w+" DROP CONSTRAINT "training_\w+_(fkey|check)"/,
];
const isOurs = (query: string): boolean => ours.some((pattern) => pattern.test(query));
