import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import type { DataSource } from 'typeorm';
import { asApplication, type PostgresConnection } from '../../src/adapters/postgres/data-source.js';
import { PostgresNotifications } from '../../src/adapters/postgres/notifications.js';
import { readSettings } from '../../src/config/settings.js';
import { AuditKeeper } from '../../src/modules/audit/audit-keeper.service.js';
import { AuditKeeping, openAudit, type AuditParts } from '../../src/modules/audit/audit-parts.js';
import { AuditService } from '../../src/modules/audit/audit.service.js';
import { callerOf } from '../fixtures/callers.js';
import { runSql, TestDatabases } from '../fixtures/test-database.js';
import { root } from '../fixtures/trainer.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(180_000);

const ignore = (): void => undefined;
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
const alice = callerOf('alice', 'trainer');
const admin = callerOf('root', 'admin');
const create = { action: 'training.job.create', outcome: 'done' } as const;

describe('the audit trail of an application', () => {
  let databases: TestDatabases;
  let connection: PostgresConnection;
  const closers: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    databases = await TestDatabases.open();
  });
  beforeEach(async () => {
    connection = await databases.create();
  });
  afterEach(async () => {
    for (const close of closers.splice(0).toReversed()) await close();
  });
  afterAll(() => databases.close());

  /** One with a data folder, and so keys, of its own. */
  const application = async (env: Record<string, string> = {}) => {
    const folder = await mkdtemp(join(tmpdir(), 'clara-audit-'));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const settings = readSettings({ CLARA_SECURITY_MODE: 'development', CLARA_DATA_DIR: folder, ...env }, root);
    const source: DataSource = await databases.source(connection);
    closers.push(() => source.destroy());
    const parts: AuditParts = await openAudit(settings, source, log);
    closers.push(() => parts.trail.close(0));
    const wakeups = new PostgresNotifications(asApplication(connection), ignore);
    await wakeups.open();
    closers.push(() => wakeups.close());
    const keeping = new AuditKeeping(parts);
    const keeper = new AuditKeeper(keeping, settings, log, wakeups, new Registry());
    return { source, parts, keeper, service: new AuditService(keeping, source) };
  };

  it('is listed in pages that neither repeat nor miss a row, while rows are added', async () => {
    const { source, parts, service } = await application();
    const write = (row: number) => parts.trail.record(source, alice, { ...create, detail: { row } });
    for (let row = 0; row < 23; row += 1) await write(row);
    const seen: unknown[] = [];
    let cursor: string | undefined;
    for (;;) {
      const page = await service.list({ limit: 5, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...page.rows.map(({ detail }) => detail['row']));
      if (page.next_cursor === null) break;
      cursor = page.next_cursor;
      await write(100);
    }
    expect(seen).toEqual(Array.from({ length: 23 }, (_, index) => 22 - index));
    await expect(service.list({ limit: 5, cursor: 'nonsense' })).rejects.toMatchObject({ status: 422 });
  });

  it('is filtered by what a row holds; wildcards are plain characters', async () => {
    const { source, parts, service } = await application();
    await parts.trail.record(source, alice, { ...create, target: { type: 'training_job', id: '1' } });
    await parts.trail.record(source, admin, { action: 'audit.verify', outcome: 'failed' });
    const count = async (filter: object) => (await service.list({ limit: 50, ...filter })).rows.length;
    expect(await count({ action: 'training.' })).toBe(1);
    expect(await count({ action: 'training%create' })).toBe(0);
    expect(await count({ actor: 'alice' })).toBe(1);
    expect(await count({ actor: 'nobody' })).toBe(0);
    expect(await count({ target_type: 'training_job', target_id: '1' })).toBe(1);
    expect(await count({ outcome: 'failed' })).toBe(1);
    expect(await count({ from: new Date(Date.now() + 60_000).toISOString() })).toBe(0);
    expect(await count({ to: new Date(Date.now() + 60_000).toISOString() })).toBe(2);
    expect(await count({ request_id: alice.requestId })).toBe(2);
  });

  it('forgets a name in every application at once', async () => {
    const [one, other] = [await application(), await application()];
    for (const { keeper } of [one, other]) {
      await keeper.onApplicationBootstrap();
      closers.push(() => keeper.onApplicationShutdown());
    }
    for (const { source, parts } of [one, other]) await parts.trail.record(source, alice, create);
    const before = [await one.parts.subjects.pseudonym('alice'), await other.parts.subjects.pseudonym('alice')];
    expect(new Set(before).size).toBe(2);
    expect(await one.service.forget('alice', admin)).toEqual({ erased: 2 });
    // Remembered for 10 seconds; a notification ends that.
    await eventually(
      'the other one has forgotten',
      async () => ((await other.parts.subjects.pseudonym('alice')) === before[1] ? undefined : true),
      5000,
    );
    const { rows } = await one.service.list({ limit: 50, action: create.action });
    expect(rows.map(({ actor }) => actor)).toEqual([before[1], before[0]]);
    const [erasure] = (await one.service.list({ limit: 1, action: 'audit.subject' })).rows;
    expect(erasure).toMatchObject({ actor: 'root', detail: { erased: 2 } });
    expect(JSON.stringify(erasure)).not.toContain('alice');
    await expect(one.service.forget('root', alice)).rejects.toMatchObject({ status: 403 });
  });

  it('takes refusals while the database is away, without waiting, and writes them when it is back', async () => {
    const { parts, service } = await application();
    await runSql(databases.admin, `ALTER DATABASE ${connection.database} ALLOW_CONNECTIONS false`);
    // A role may end its own sessions, wherever it is connected.
    await runSql(
      asApplication(databases.admin),
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${connection.database}'`,
    );
    const refuse = (reason: number) => parts.trail.refused(alice, { action: 'http.get', detail: { reason } });
    for (let time = 0; time < 10; time += 1) for (let reason = 0; reason < 20; reason += 1) refuse(reason);
    await runSql(databases.admin, `ALTER DATABASE ${connection.database} ALLOW_CONNECTIONS true`);
    const refused = async () => (await service.list({ limit: 50, outcome: 'refused' })).rows;
    await eventually('they are written', async () =>
      (await refused().catch(() => [])).length === 20 ? true : undefined,
    );
    await parts.trail.close(10_000);
    const rows = await refused();
    expect(rows).toHaveLength(40);
    expect(rows.slice(0, 20).map(({ detail }) => detail['count'])).toEqual(Array.from({ length: 20 }, () => 9));
  });

  it('records its start with version and mode, what the configuration warns of, and its end, all linked and signed', async () => {
    const { keeper, parts, service } = await application({
      CLARA_SECURITY_MODE: 'production',
      CLARA_MTLS_ENABLED: 'false',
    });
    await keeper.onApplicationBootstrap();
    await keeper.onApplicationShutdown();
    const { rows } = await service.list({ limit: 50, action: 'application.' });
    expect(rows.map(({ action, detail }) => [action, detail])).toEqual([
      ['application.stop', { mode: 'production' }],
      ['application.warning', { warning: expect.stringContaining('PRODUCTION WITHOUT MUTUAL TLS') as string }],
      [
        'application.start',
        {
          version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
          mode: 'production',
          mutual_tls: false,
          node: process.version,
        },
      ],
    ]);
    expect(await parts.verifier.verify()).toMatchObject({ ok: true, links: 3, findings: [] });
  });
});
