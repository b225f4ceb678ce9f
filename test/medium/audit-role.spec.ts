import type { DataSource } from 'typeorm';
import type { AuditParts } from '../../src/modules/audit/audit-parts.js';
import { AuditSite } from '../fixtures/audit-site.js';
import { TestDatabases } from '../fixtures/test-database.js';

import.meta.jest.setTimeout(180_000);

describe('the roles of the audit trail', () => {
  let databases: TestDatabases;
  let site: AuditSite;
  /** As the application. */
  let source: DataSource;
  let owner: DataSource;
  let audit: AuditParts;

  beforeAll(async () => {
    databases = await TestDatabases.open();
  });
  afterAll(() => databases.close());

  beforeEach(async () => {
    site = await AuditSite.open(databases);
    ({ source, owner, audit } = site);
  });
  afterEach(() => site.close());

  it('refuses changes, to the owner as well', async () => {
    await site.write(1);
    await audit.chainer.link();
    await audit.chainer.signHead();
    for (const name of ['rows', 'links', 'heads']) {
      await expect(owner.query(`DELETE FROM audit_${name}`)).rejects.toThrow('only grows');
      await expect(owner.query(`TRUNCATE audit_${name}`)).rejects.toThrow('only grows');
    }
    await expect(owner.query(`UPDATE audit_rows SET action = 'x'`)).rejects.toThrow('only grows');
  });

  it.each([
    [`UPDATE audit_rows SET action = 'x'`, 'permission denied'],
    ['DELETE FROM audit_rows', 'permission denied'],
    ['TRUNCATE audit_rows', 'permission denied'],
    ['UPDATE audit_links SET seq = seq + 9', 'permission denied'],
    ['DELETE FROM audit_links', 'permission denied'],
    ['TRUNCATE audit_links, audit_rows', 'permission denied'],
    ['UPDATE audit_heads SET seq = 1', 'permission denied'],
    ['DELETE FROM audit_heads', 'permission denied'],
    ['DELETE FROM audit_checkpoints', 'permission denied'],
    ['TRUNCATE audit_checkpoints', 'permission denied'],
    ['ALTER TABLE audit_rows DISABLE TRIGGER USER', 'must be owner'],
    ['DROP TRIGGER audit_rows_keep ON audit_rows', 'must be owner'],
    ['DROP TABLE audit_rows', 'must be owner'],
    ['ALTER TABLE audit_rows OWNER TO CURRENT_USER', 'must be owner'],
    [
      'CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$',
      'denied',
    ],
    [`SET session_replication_role = 'replica'`, 'permission denied'],
    ['SET ROLE postgres', 'permission denied'],
    [`SET clara.audit_expiring = 'on'; DELETE FROM audit_rows`, 'permission denied'],
    [`UPDATE clara_migrations SET name = 'x'`, 'permission denied'],
  ])('refuses to the application: %s', async (statement, words) => {
    await site.write(1);
    await audit.chainer.link();
    await audit.chainer.signHead();
    await expect(source.query(statement)).rejects.toThrow(words);
    const result = await audit.verifier.verify();
    expect([result.findings, result.links]).toEqual([[], 1]);
  });

  it("removes through a table of the application's own nothing that is not old and first", async () => {
    await site.write(3);
    await audit.chainer.link();
    const forged = { seq: 9, hash: '00'.repeat(32), time: new Date().toISOString(), key: 'k', signature: 's' };
    await source.transaction(async (sql) => {
      await sql.query(
        'CREATE TEMP TABLE audit_links AS SELECT 9::bigint AS seq, 2::bigint AS row_id, $1::bytea AS hash',
        [Buffer.alloc(32)],
      );
      await expect(sql.query('SELECT audit_expire($1::jsonb)', [JSON.stringify(forged)])).rejects.toThrow('link 9');
    });
    expect((await audit.verifier.verify()).ok).toBe(true);
  });

  it('warns where one role does both', async () => {
    const parts = await site.again(owner);
    expect((await parts.verifier.verify()).findings.map(({ kind }) => kind)).toContain('role_owns_trail');
    await parts.trail.close(0);
  });

  it('warns of rights that somebody granted, which the next start takes back', async () => {
    const found = async () => (await audit.verifier.verify()).findings.map(({ kind }) => kind);
    await site.write(1);
    await audit.chainer.link();
    await audit.chainer.signHead();
    const { app } = databases.admin;
    if (!app) throw new Error('the databases of the tests have no role of the application');
    await owner.query(`GRANT DELETE ON audit_links TO ${app.user}`);
    expect(await found()).toEqual(['role_owns_trail']);
    await (await databases.source(site.connection)).destroy();
    expect(await found()).toEqual([]);
  });
});
