import { mkdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { PostgresNotifications } from '../../src/adapters/postgres/notifications.js';
import { asApplication, type PostgresConnection } from '../../src/adapters/postgres/data-source.js';
import { rowsOf } from '../../src/kernel/transaction.js';
import { BackFill } from '../../src/modules/adapters/back-fill.service.js';
import { AdapterRegistration } from '../../src/modules/training/adapter-registration.js';
import { CompletedJobStore } from '../../src/modules/training/completed-jobs.store.js';
import { loraFiles, type RegistrySite } from '../fixtures/adapters.js';
import { someone } from '../fixtures/datasets.js';
import { OwnRegistry } from '../fixtures/own-registry.js';
import { Queue } from '../fixtures/queue.js';
import { anyConfig } from '../fixtures/runs.js';
import { runSql } from '../fixtures/test-database.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(180_000);

const by = someone('erika', 'trainer');
const because = { by, evidence: { ppl_dev: 7.4 } };

describe('the registry of adapters', () => {
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

  describe('a version', () => {
    it('says everything of the adapter that a job made', async () => {
      const version = await site.registered({ tags: ['domain:Satzung', 'x'] });
      expect(version).toMatchObject({
        name: 'satzung-lora-r4-v1',
        model_id: `ft:clara-base:clara:mein-lauf:${version.id.replaceAll('-', '').slice(0, 12)}`,
        base: 'clara-base',
        base_hash: (await site.bases.of('default')).hash,
        method: 'lora',
        rank: 4,
        format: 'peft',
        domains: ['satzung'],
        metrics: {
          loss_before: 3,
          loss_after: 2,
          perplexity_before: 20,
          perplexity_after: 7.4,
          ppl_dev: 7.4,
          steps: 9,
        },
        created_by: 'erika',
        retired_at: null,
      });
      expect(version.content_hash).toMatch(/^[0-9a-f]{64}$/);
      expect(version.files.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(loraFiles(''))));
      for (const reference of [version.id, version.name, version.model_id])
        expect((await site.versions.find(reference))?.id).toBe(version.id);
    });

    it('counts up under each prefix, also when many come at once, and leaves no gap', async () => {
      const all = await Promise.all(Array.from({ length: 8 }, () => site.registered({ tags: ['domain:viele'] })));
      const names = all.map(({ name }) => name).toSorted();
      expect(names).toEqual(Array.from({ length: 8 }, (_, index) => `viele-lora-r4-v${index + 1}`));
    });

    it('is found by the job that made it, however many came since', async () => {
      const mine = await site.registered();
      await site.registered();
      const filter = { base: undefined, domain: undefined, tag: undefined, state: 'active' as const };
      const of = async (jobId: string) => {
        const page = await site.versions.page({ ...filter, jobId, before: undefined, limit: 10 });
        expect(await site.versions.count({ ...filter, jobId })).toBe(page.length);
        return page.map(({ id }) => id);
      };
      expect(await of(String(mine.job_id))).toEqual([mine.id]);
      expect(await of('0f8fad5b-d9cb-469f-a165-70867728950e')).toEqual([]);
    });

    it('never changes, not even by the owner of the tables', async () => {
      const { id } = await site.registered();
      for (const sql of [
        `UPDATE adapter_versions SET content_hash = repeat('0', 64) WHERE id = '${id}'`,
        `UPDATE adapter_versions SET metrics = '{}' WHERE id = '${id}'`,
        `DELETE FROM adapter_versions WHERE id = '${id}'`,
        `TRUNCATE adapter_versions CASCADE`,
      ])
        await expect(runSql(connection, sql)).rejects.toThrow(/never changes|only grows/);
      const changed = await site.changes.change(id, { notes: 'gut', domains: ['a'] }, () => Promise.resolve());
      expect(changed).toMatchObject({ notes: 'gut', domains: ['a'], tags: ['domain:vergabe'] });
    });

    it('is not there where its transaction fails, and the next one takes its number', async () => {
      const job = await site.job({ tags: ['domain:abbruch'] });
      const register = await site.trained.prepare(job);
      const failing = source.transaction(async (sql) => {
        await register(sql);
        throw new Error('the end of the transaction');
      });
      await expect(failing).rejects.toThrow('the end');
      expect(await site.versions.ofJob(job.jobId)).toBeUndefined();
      expect((await site.registered({ tags: ['domain:abbruch'] })).name).toBe('abbruch-lora-r4-v1');
    });
  });

  describe('retiring', () => {
    const retire = async (id: string) => {
      const version = await site.versions.byId(id);
      if (!version) throw new Error('there is no such version');
      await site.changes.retire(version, 'erika', () => Promise.resolve());
    };

    it('takes the files, and never gives name or number again', async () => {
      const version = await site.registered({ tags: ['domain:alt'] });
      await retire(version.id);
      await site.sweeper.sweep();
      await expect(stat(version.path)).rejects.toThrow('ENOENT');
      expect((await site.versions.byId(version.id))?.files_removed_at).toBeInstanceOf(Date);
      expect((await site.registered({ tags: ['domain:alt'] })).name).toBe('alt-lora-r4-v2');
      await expect(site.moves.move('alt', version.id, because)).rejects.toMatchObject({ code: 'conflict' });
      await expect(retire(version.id)).rejects.toThrow('retired already');
    });

    it('is refused while an alias leads there, also for a share', async () => {
      const [a, b] = [await site.registered(), await site.registered()];
      await site.moves.move('stable', a.id, { ...because, splits: [{ versionId: b.id, weight: 0.1 }] });
      for (const { id } of [a, b]) await expect(retire(id)).rejects.toThrow('in use by the alias stable');
      await site.moves.remove('stable', because);
      await retire(b.id);
    });

    it('and moving an alias never pass each other', async () => {
      for (let round = 0; round < 5; round += 1) {
        const { id } = await site.registered();
        const alias = `race-${round}`;
        await Promise.allSettled([site.moves.move(alias, id, because), retire(id)]);
        const [live] = await rowsOf(source, 'SELECT 1 FROM adapter_aliases WHERE alias = $1', [alias]);
        const isRetired = (await site.versions.byId(id))?.retired_at !== null;
        expect(Boolean(live)).toBe(!isRetired);
      }
    });

    it('sweeps what uploads left behind, and nothing that is new', async () => {
      const old = new Date(Date.now() - 24 * 3_600_000);
      const folders = ['.incoming/a', '0f8fad5b-d9cb-469f-a165-70867728950e'].map((name) =>
        join(site.place.uploads, name),
      );
      for (const folder of folders) {
        await mkdir(folder, { recursive: true });
        await writeFile(join(folder, 'x'), '');
        await site.sweeper.sweep();
        await expect(stat(folder)).resolves.toBeDefined();
        await utimes(folder, old, old);
      }
      await site.sweeper.sweep();
      for (const folder of folders) await expect(stat(folder)).rejects.toThrow('ENOENT');
    });
  });

  it('is followed by the catalog of every process', async () => {
    const wakeups = [0, 1].map(() => new PostgresNotifications(asApplication(connection), () => undefined));
    const catalogs = wakeups.map((each) => site.catalog(each));
    try {
      for (const each of wakeups) await each.open();
      expect(() => catalogs[0]?.snapshot()).toThrow('is being read');
      for (const catalog of catalogs) await catalog.onModuleInit();
      let told = 0;
      catalogs[1]?.onChange(() => (told += 1));
      const version = await site.registered({ tags: ['domain:katalog'] });
      const other = await site.registered({ tags: ['domain:katalog'] });
      await site.moves.move('followed', version.id, { ...because, splits: [{ versionId: other.id, weight: 0.25 }] });
      for (const catalog of catalogs)
        await eventually('it knows the alias', () =>
          catalog.snapshot().aliases.some(({ alias }) => alias === 'followed'),
        );
      expect(told).toBeGreaterThan(0);
      const { versions, aliases } = catalogs[1]?.snapshot() ?? { versions: [], aliases: [] };
      expect(versions[0]).toMatchObject({
        id: other.id,
        name: other.name,
        baseHash: other.base_hash,
        path: other.path,
      });
      expect(versions[0]?.createdAt).toEqual(other.created_at);
      expect(aliases.find(({ alias }) => alias === 'followed')).toEqual({
        alias: 'followed',
        versionId: version.id,
        splits: [{ versionId: other.id, weight: 0.25 }],
      });
      await site.moves.remove('followed', because);
      await catalogs[0]?.refresh();
      expect(catalogs[0]?.snapshot().aliases.some(({ alias }) => alias === 'followed')).toBe(false);
    } finally {
      for (const catalog of catalogs) await catalog.onApplicationShutdown();
      for (const each of wakeups) await each.close();
    }
  });

  describe('a job', () => {
    let queue: Queue;

    beforeEach(async () => {
      queue = new Queue(source);
      await queue.clear();
      await queue.host(4);
    });
    afterEach(() => queue.close());

    const completed = (path: string) => ({ set: { status: 'completed' as const, adapter_path: path }, events: [] });

    it('and its version are completed together or not at all', async () => {
      await queue.queued({ config: { ...anyConfig(), name: 'zusammen' }, tags: [] });
      const job = await queue.claimed();
      const { adapterPath } = await site.job({ jobId: job.job_id });
      const registration = new AdapterRegistration(queue.jobs, site.trained, queue.log);
      const register = await registration.prepare(job, adapterPath);
      const broken = queue.store.complete(job.job_id, completed(adapterPath), async (sql) => {
        await register?.(sql);
        throw new Error('the disk is full');
      });
      await expect(broken).rejects.toThrow('the disk is full');
      expect([(await queue.row(job.job_id)).status, await site.versions.ofJob(job.job_id)]).toEqual([
        'running',
        undefined,
      ]);
      // Another supervisor was quicker: nothing is registered either.
      const late = { ...completed(adapterPath), fence: job.fence + 1, from: ['running' as const] };
      expect(await queue.store.complete(job.job_id, late, register)).toBeUndefined();
      expect(await site.versions.ofJob(job.job_id)).toBeUndefined();
      await queue.store.complete(job.job_id, completed(adapterPath), register);
      expect((await site.versions.ofJob(job.job_id))?.name).toBe('zusammen-lora-r4-v1');
    });

    it('is completed also where its folder is no adapter, and the log says why', async () => {
      await queue.queued();
      const job = await queue.claimed();
      const registration = new AdapterRegistration(queue.jobs, site.trained, queue.log);
      expect(await registration.prepare(job, join(site.folder, 'nothing'))).toBeUndefined();
      expect(queue.log.lines.some(({ message }) => message.includes('could not be registered'))).toBe(true);
    });

    it('that is older than the registry is registered once', async () => {
      await queue.queued({ tags: ['domain:frueher'] });
      const job = await queue.claimed();
      const { adapterPath } = await site.job({ jobId: job.job_id });
      await queue.store.complete(job.job_id, completed(adapterPath));
      await queue.queued();
      const gone = await queue.claimed();
      await queue.store.complete(gone.job_id, completed(join(site.folder, 'gone')));
      const jobs = new CompletedJobStore(source);
      const fill = new BackFill(jobs, site.trained, site.versions, site.place, source, site.log);
      expect(await fill.run()).toEqual({ registered: 1, left: 1 });
      expect(await fill.run()).toEqual({ registered: 0, left: 1 });
      expect((await site.versions.ofJob(job.job_id))?.name).toBe('frueher-lora-r4-v1');
    });
  });
});
