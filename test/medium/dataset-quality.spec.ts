import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import type { Settings } from '../../src/config/settings.js';
import { CheckedQuality } from '../../src/modules/dataset/checked-quality.js';
import type { DatasetDto } from '../../src/modules/dataset/dataset-replies.dto.js';
import { RegisteredRows } from '../../src/modules/dataset/registered-rows.store.js';
import { DatasetSite, someone } from '../fixtures/datasets.js';
import { TestDatabases } from '../fixtures/test-database.js';

import.meta.jest.setTimeout(120_000);

const erika = someone('erika', 'trainer');
const rows = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) => ({
    text: `Die Behörde ${from + at} prüft den Antrag ${(from + at) * 7} von Grund auf und entscheidet über Fall ${from + at}.`,
  }));

describe('the checks of datasets', () => {
  let databases: TestDatabases;
  let source: DataSource;
  let plain: DatasetSite;

  beforeAll(async () => {
    databases = await TestDatabases.open();
    source = await databases.source();
  });
  beforeEach(async () => {
    plain = await DatasetSite.open(source);
  });
  afterEach(async () => {
    await plain.clear();
    await plain.close();
  });
  afterAll(() => databases.close());

  /** An application on the database and the folder, as after a restart. */
  function site(comparedRows = 1000): DatasetSite {
    const { datasets, ...rest } = plain.settings;
    const settings = { ...rest, datasets: { ...datasets, languages: ['de'], comparedRows } } as unknown as Settings;
    return plain.again({ quality: new CheckedQuality(new RegisteredRows(source, settings), settings) });
  }
  const registered = async (set: DatasetDto, caller = erika): Promise<(string | undefined)[]> => {
    const { rows: found } = await plain.reports.rows(set.dataset_id, set.version, {}, caller);
    return found.map(({ findings }) => {
      const finding = findings.find(({ check }) => check === 'registered_duplicate');
      return finding?.['verdict'] === 'warn' ? String(finding['reason']) : undefined;
    });
  };
  const warnings = ({ metadata }: DatasetDto) => (metadata['statistics'] as { warnings: string[] }).warnings.join();

  it('find the rows of other datasets over a restart, of the newest version, and not of their own', async () => {
    const first = await site().built({ rows: rows(0, 6) });
    const second = await site().built({ rows: rows(3, 6) });
    expect(await registered(second)).toEqual([
      ...[3, 4, 5].map((at) => `The same text is in another dataset: row ${at} of dataset:${first.dataset_id}@1`),
      ...[6, 7, 8].map(() => undefined),
    ]);
    const next = await site().nextVersion(second.dataset_id, { rows: rows(6, 3) });
    expect([next.status, ...(await registered(next))]).toEqual(['completed', undefined, undefined, undefined]);
    const third = await site().built({ rows: rows(8, 1) });
    expect(await registered(third)).toEqual([expect.stringContaining(`row 2 of dataset:${second.dataset_id}@2`)]);
  });

  it('do not look at datasets that are deleted, or that the owner may not read', async () => {
    const gone = await site().built({ rows: rows(0, 3) });
    await plain.datasets.remove(gone.dataset_id, erika);
    await site().built({ rows: rows(0, 3), readers: ['role:trainer'] }, someone('max', 'trainer'));
    const other = someone('anna', 'analyst');
    expect(await registered(await site().built({ rows: rows(0, 2) }, other), other)).toEqual([undefined, undefined]);
  });

  it('say what they could not compare', async () => {
    const first = await site().built({ rows: rows(0, 6) });
    expect(warnings(await site(5).built({ rows: rows(0, 3) }))).toContain('CLARA_DATASET_COMPARED_ROWS');
    await rm(join(plain.data, 'datasets', first.dataset_id, 'v1/near.idx'));
    expect(warnings(await site().built({ rows: rows(0, 3) }))).toContain('1 datasets were not compared');
  });

  it('leave rows out by reason, and fail the version where none is left', async () => {
    const twice = await site().built({ rows: [...rows(0, 3), ...rows(0, 3)] });
    expect(twice).toMatchObject({ document_count: 3, metadata: { statistics: { left_out: { exact_duplicate: 3 } } } });
    const none = await site().built({ rows: [{ text: 'kurz' }] });
    expect([none.status, none.metadata['error']]).toEqual(['failed', expect.stringContaining('length (1)')]);
  });

  it('give the same version twice, from two applications at once', async () => {
    const made = await Promise.all([site().create({ rows: rows(0, 40) }), site().create({ rows: rows(0, 40) })]);
    await Promise.all([site().builder.buildNext(), site().builder.buildNext()]);
    const [a, b] = await Promise.all(
      made.map(async ({ dataset_id: id }) => (await plain.datasets.get(id, erika)).data),
    );
    expect([a?.status, b?.status]).toEqual(['completed', 'completed']);
    expect(a?.content_hash).toBe(b?.content_hash);
  });
});
