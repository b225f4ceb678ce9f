import type { DataSource } from 'typeorm';
import type { PostgresConnection } from '../../src/adapters/postgres/data-source.js';
import { rowsOf } from '../../src/kernel/transaction.js';
import { AliasService } from '../../src/modules/adapters/alias.service.js';
import type { RegistrySite } from '../fixtures/adapters.js';
import { someone } from '../fixtures/datasets.js';
import { LocalWakeups } from '../fixtures/queue.js';
import { OwnRegistry } from '../fixtures/own-registry.js';
import { runSql } from '../fixtures/test-database.js';

import.meta.jest.setTimeout(180_000);

const by = someone('erika', 'trainer');
const because = { by, evidence: { ppl_dev: 7.4 } };

describe('an alias of an adapter', () => {
  let own: OwnRegistry;
  let connection: PostgresConnection;
  let source: DataSource;
  let site: RegistrySite;

  beforeAll(async () => {
    own = await OwnRegistry.open();
    ({ connection, site } = own);
    ({ source } = site);
  });
  afterAll(() => own.close());

  const deployed = async (alias: string) =>
    (
      await site.history.page({ alias, versionId: undefined, at: undefined, limit: 1000, before: undefined })
    ).toReversed();

  it('moves, goes back, and its history says who, when and why', async () => {
    const [a, b] = [await site.registered(), await site.registered()];
    await site.moves.move('champion', a.id, because);
    await expect(site.moves.move('champion', 'previous', because)).rejects.toThrow('before that could come back');
    await site.moves.move('champion', b.id, { by: someone('max'), evidence: { judge: 0.9 } });
    expect(await site.moves.previous('champion')).toBe(a.id);
    const back = await site.moves.move('champion', 'previous', because);
    expect(back).toMatchObject({ versionId: a.id, kind: 'rollback', to: null });
    const again = await site.moves.move('champion', a.id, because);
    expect(again.number).toBe(back.number);
    await site.moves.remove('champion', because);
    const all = await deployed('champion');
    expect(all.map(({ versionId, by: who, evidence }) => [versionId, who, evidence])).toEqual([
      [a.id, 'erika', { ppl_dev: 7.4 }],
      [b.id, 'max', { judge: 0.9 }],
      [a.id, 'erika', { ppl_dev: 7.4 }],
    ]);
    expect(
      all.every(({ to }, index) => to && (!all[index + 1] || to.getTime() === all[index + 1]?.from.getTime())),
    ).toBe(true);
    const middle = all[1]?.from ?? new Date();
    const then = await site.history.page({
      alias: 'champion',
      versionId: undefined,
      at: middle,
      limit: 10,
      before: undefined,
    });
    expect(then.map(({ versionId }) => versionId)).toEqual([b.id]);
  });

  it('moved by many at once has a history without gaps and one last word', async () => {
    const versions = await Promise.all(Array.from({ length: 4 }, () => site.registered()));
    await Promise.all(
      Array.from({ length: 40 }, (_, index) => site.moves.move('busy', versions[index % 4]?.id ?? '', because)),
    );
    const all = await deployed('busy');
    expect(all.filter(({ to }) => to === null)).toHaveLength(1);
    expect(all.slice(1).every(({ versionId }, index) => versionId !== all[index]?.versionId)).toBe(true);
    expect(all.every(({ from }, index) => index === 0 || from >= (all[index - 1]?.from ?? from))).toBe(true);
    expect((await site.versions.find('busy'))?.id).toBe(all.at(-1)?.versionId);
  });

  it.each(['2026-W05-1', '2026-032', '2026-01-31T12'])('has no history of the moment "%s"', async (at) => {
    const aliases = new AliasService(site.moves, site.versions, site.history, site.catalog(new LocalWakeups()));
    await expect(aliases.deployments({ at })).rejects.toMatchObject({ code: 'invalid', problems: [{ path: 'at' }] });
    await expect(aliases.deployments({ at: '2020-01-01T00:00:00Z' })).resolves.toMatchObject({ deployments: [] });
  });

  it('has a history that only grows, also for the owner of the tables', async () => {
    for (const sql of [
      `UPDATE adapter_deployments SET by = 'nobody'`,
      'DELETE FROM adapter_deployments',
      'TRUNCATE adapter_deployments',
    ])
      await expect(runSql(connection, sql)).rejects.toThrow('only grows');
    const [rights] = await rowsOf<{ update: boolean }>(
      source,
      `SELECT has_table_privilege(current_user, 'adapter_deployments', 'UPDATE') AS update`,
    );
    if (connection.app) expect(rights?.update).toBe(false);
  });

  it.each(['auto', 'ft:a', '', 'a b', 'x-r8-v1', 'clara-base', '0f8fad5b-d9cb-469f-a165-70867728950e'])(
    'is not called "%s"',
    async (name) => {
      const { id } = await site.registered();
      await expect(site.moves.move(name, id, because)).rejects.toMatchObject({ code: 'invalid' });
    },
  );

  it('refuses versions and shares that are none', async () => {
    const [a, b] = [await site.registered(), await site.registered()];
    await expect(site.moves.move('x', 'nothing', because)).rejects.toMatchObject({ code: 'not_found' });
    for (const weight of [0, -1, 1.1, Number.NaN])
      await expect(
        site.moves.move('x', a.id, { ...because, splits: [{ versionId: b.id, weight }] }),
      ).rejects.toMatchObject({ code: 'invalid' });
    await expect(
      site.moves.move('x', a.id, { ...because, splits: [{ versionId: a.id, weight: 0.5 }] }),
    ).rejects.toMatchObject({ code: 'invalid' });
    expect(await deployed('x')).toEqual([]);
  });
});
