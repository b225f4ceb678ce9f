import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import type { AuditParts } from '../../src/modules/audit/audit-parts.js';
import type { VerifyResult } from '../../src/modules/audit/findings.js';
import { AuditKeys } from '../../src/modules/audit/signer.js';
import { auditEntry as entry, AuditSite, auditUser as user } from '../fixtures/audit-site.js';
import { TestDatabases } from '../fixtures/test-database.js';

import.meta.jest.setTimeout(180_000);

const ignore = (): void => undefined;

describe('the audit chain', () => {
  let databases: TestDatabases;
  let site: AuditSite;
  /** As the application. */
  let source: DataSource;
  let owner: DataSource;
  let folder: string;
  let audit: AuditParts;

  beforeAll(async () => {
    databases = await TestDatabases.open();
  });
  afterAll(() => databases.close());

  beforeEach(async () => {
    site = await AuditSite.open(databases);
    ({ source, owner, audit, folder } = site);
  });
  afterEach(() => site.close());

  const write = (rows: number) => site.write(rows);
  const bend = (...statements: string[]) => site.bend(...statements);
  const errors = ({ findings }: VerifyResult) => findings.filter(({ severity }) => severity === 'error');
  const kinds = (result: VerifyResult) => errors(result).map(({ kind }) => kind);

  it('links every row once, with 20 writers of which some commit late, and two chainers', async () => {
    const other = await site.again();
    const writer = (delay: number) =>
      source.transaction(async (sql) => {
        await audit.trail.record(sql, user, entry);
        await sql.query('SELECT pg_sleep($1)', [delay]);
      });
    const writers = Array.from({ length: 20 }, (_, place) => writer((place % 4) / 5));
    let isWriting = true;
    const chain = async (parts: AuditParts): Promise<void> => {
      while (isWriting) await parts.chainer.link();
    };
    const chains = [chain(audit), chain(other)];
    await Promise.all(writers);
    isWriting = false;
    await Promise.all(chains);
    await audit.chainer.link();
    const result = await audit.verifier.verify();
    expect(errors(result)).toEqual([]);
    expect(result.links).toBe(20);
    await other.trail.close(0);
  });

  it('keeps no row of a change that is rolled back', async () => {
    await source
      .transaction(async (sql) => {
        await audit.trail.record(sql, user, entry);
        throw new Error('no');
      })
      .catch(ignore);
    expect(await source.query('SELECT count(*)::int AS rows FROM audit_rows')).toEqual([{ rows: 0 }]);
    expect(await audit.chainer.link()).toBe(0);
  });

  const swap = `UPDATE audit_links SET row_id = CASE row_id WHEN 3 THEN -1 ELSE -2 END WHERE row_id IN (3, 4)`;
  const tail = [
    'DELETE FROM audit_rows WHERE id > 5',
    'DELETE FROM audit_links WHERE seq > 5',
    'DELETE FROM audit_heads',
  ];
  it.each([
    ['a changed action', [`UPDATE audit_rows SET action = 'other' WHERE id = 4`], 'changed', 4],
    ['a changed time', [`UPDATE audit_rows SET time = time + interval '1 us' WHERE id = 4`], 'changed', 4],
    ['a changed actor', [`UPDATE audit_rows SET actor = gen_random_uuid() WHERE id = 4`], 'changed', 4],
    ['a changed role', [`UPDATE audit_rows SET roles = '{user}' WHERE id = 4`], 'changed', 4],
    ['a changed detail', [`UPDATE audit_rows SET detail = '{"row": 9}' WHERE id = 4`], 'changed', 4],
    ['an outcome taken back', [`UPDATE audit_rows SET outcome = 'refused' WHERE id = 4`], 'changed', 4],
    [
      'text moved between columns',
      [`UPDATE audit_rows SET target_type = 'ro', target_id = 'w1' WHERE id = 4`],
      'changed',
      4,
    ],
    ['a removed row', ['DELETE FROM audit_rows WHERE id = 4'], 'removed', 4],
    [
      'a removed link',
      ['DELETE FROM audit_links WHERE row_id = 4', 'DELETE FROM audit_rows WHERE id = 4'],
      'removed',
      null,
    ],
    [
      'the first rows removed',
      ['DELETE FROM audit_links WHERE seq < 4', 'DELETE FROM audit_rows WHERE id < 4'],
      'removed',
      null,
    ],
    ['two rows in another order', [swap, `UPDATE audit_links SET row_id = row_id + 5 WHERE row_id < 0`], 'changed', 4],
    ['a changed hash', [`UPDATE audit_links SET hash = sha256('x') WHERE row_id = 4`], 'changed', 4],
    [
      'an inserted row',
      [`INSERT INTO audit_rows (action, outcome, time) VALUES ('x', 'done', now() - interval '1 hour')`],
      'unlinked',
      9,
    ],
    ['a tail cut off together with its heads', tail, 'cut_off', null],
    ['everything removed', ['TRUNCATE audit_rows, audit_links, audit_heads'], 'cut_off', null],
    ['a head with another hash', [`UPDATE audit_heads SET hash = sha256('x')`], 'signature', null],
    [
      'a forged checkpoint',
      [`INSERT INTO audit_checkpoints VALUES (3, sha256('x'), now(), 'key', 'no')`],
      'signature',
      null,
    ],
  ])('finds %s', async (_, statements, kind, row) => {
    await write(8);
    await audit.chainer.link();
    await audit.chainer.signHead();
    expect((await audit.verifier.verify()).ok).toBe(true);
    await bend(...statements);
    const result = await audit.verifier.verify();
    expect(result.ok).toBe(false);
    expect(kinds(result)).toContain(kind);
    if (row !== null) expect(errors(result).map(({ row_id }) => row_id)).toContain(row);
  });

  it('finds a chain that was computed again by somebody without the key', async () => {
    await write(5);
    await audit.chainer.link();
    await audit.chainer.signHead();
    await bend(`UPDATE audit_rows SET action = 'other' WHERE id = 2`, 'TRUNCATE audit_links, audit_heads');
    await owner.query('INSERT INTO audit_pending (row_id) SELECT id FROM audit_rows');
    await audit.chainer.link();
    expect(kinds(await audit.verifier.verify())).toEqual(['head']);
  });

  it('believes a checkpoint only of a key that is known', async () => {
    await write(5);
    await audit.chainer.link();
    await audit.chainer.signHead();
    const [link] = (await source.query(`SELECT encode(hash, 'hex') AS hash FROM audit_links WHERE seq = 3`)) as [
      { hash: string },
    ];
    const theirs = await AuditKeys.open(join(folder, 'theirs'));
    const forged = theirs.seal('checkpoint', { seq: 3, hash: link.hash, time: new Date().toISOString() });
    await bend('DELETE FROM audit_rows WHERE id <= 3', 'DELETE FROM audit_links WHERE seq <= 3');
    await source.query(`INSERT INTO audit_checkpoints VALUES (3, decode($1, 'hex'), $2, $3, $4)`, [
      forged.hash,
      forged.time,
      forged.key,
      forged.signature,
    ]);
    expect(kinds(await audit.verifier.verify())).toEqual(['other_key', 'removed']);
    const trusting = await site.again(source, [theirs.publicKey]);
    expect(await trusting.verifier.verify()).toMatchObject({ ok: true, links: 2 });
    await trusting.trail.close(0);
  });

  it('finds guards that were taken away', async () => {
    await owner.query('DROP TRIGGER audit_rows_keep ON audit_rows');
    expect(kinds(await audit.verifier.verify())).toEqual(['guards']);
  });

  it('warns where heads.jsonl is missing or cut off in a line, and goes on behind such a line', async () => {
    const heads = join(folder, 'audit', 'heads.jsonl');
    expect((await audit.verifier.verify()).findings.map(({ kind }) => kind)).toContain('head_file_missing');
    await write(1);
    await audit.chainer.link();
    await audit.chainer.signHead();
    await writeFile(heads, (await readFile(heads, 'utf8')).slice(0, -20));
    await write(1);
    await audit.chainer.link();
    await audit.chainer.signHead();
    const result = await audit.verifier.verify();
    expect(result.ok).toBe(true);
    expect(result.findings.map(({ kind }) => kind)).toContain('head_file_line');
  });

  it('removes whole old segments behind a checkpoint, and notices when somebody else does', async () => {
    await source.query(
      `SELECT audit_record(jsonb_build_object('action', 'old', 'outcome', 'done', 'n', n)) FROM generate_series(1, 25) n`,
    );
    await bend(`UPDATE audit_rows SET time = now() - interval '40 days' WHERE id <= 25`);
    await write(3);
    await audit.chainer.link();
    await audit.chainer.signHead();
    expect(await audit.chainer.expire(35, 10)).toBe(20);
    expect(await audit.chainer.expire(35, 10)).toBe(0);
    const result = await audit.verifier.verify();
    expect([errors(result), result.links]).toEqual([[], 8]);
    await bend('DELETE FROM audit_links WHERE seq = 21', 'DELETE FROM audit_rows WHERE id = 21');
    expect(kinds(await audit.verifier.verify())).toEqual(['removed']);
  });

  it('forgets a name: the rows and the chain stay, and the next action has a new pseudonym', async () => {
    await write(2);
    const before = await audit.subjects.pseudonym('alice');
    expect(await audit.subjects.forget(source.manager, 'alice')).toBe(1);
    audit.subjects.forgetRemembered();
    await write(1);
    await audit.chainer.link();
    expect(await audit.subjects.pseudonym('alice')).not.toBe(before);
    expect((await audit.verifier.verify()).ok).toBe(true);
    expect(await source.query('SELECT count(*)::int AS names FROM audit_subjects WHERE subject IS NOT NULL')).toEqual([
      { names: 1 },
    ]);
  });

  it('writes equal refusals as one row and their number', async () => {
    for (let time = 0; time < 50; time += 1) audit.trail.refused(user, { action: 'http.get', detail: { reason: 'x' } });
    await audit.trail.close(10_000);
    const rows: unknown = await source.query(`SELECT detail FROM audit_rows WHERE outcome = 'refused' ORDER BY id`);
    expect(rows).toEqual([{ detail: { reason: 'x' } }, { detail: { reason: 'x', count: 49 } }]);
  });

  it('verifies 100,000 rows', async () => {
    await source.query(
      `SELECT count(audit_record(jsonb_build_object('action', 'training.job.create', 'outcome', 'done', 'roles', '["trainer"]'::jsonb,
        'target_type', 'training_job', 'target_id', gen_random_uuid(), 'address', '10.0.0.1', 'request_id', gen_random_uuid(),
        'detail', jsonb_build_object('n', n)))) FROM generate_series(1, 100000) n`,
    );
    expect(await audit.chainer.link()).toBe(100_000);
    const result = await audit.verifier.verify();
    expect([errors(result), result.links]).toEqual([[], 100_000]);
    console.info(`100,000 rows verified in ${result.ms} ms`);
    expect(result.ms).toBeLessThan(30_000);
  });
});
