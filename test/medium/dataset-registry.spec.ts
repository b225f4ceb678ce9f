import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { rowsOf } from '../../src/kernel/transaction.js';
import { readRows } from '../../src/modules/dataset/formats/read-file.js';
import { exportFormats } from '../../src/modules/dataset/formats/export-row.js';
import { DatasetSite, law, someone } from '../fixtures/datasets.js';
import { runSql, TestDatabases } from '../fixtures/test-database.js';

import.meta.jest.setTimeout(180_000);

const erika = someone('erika', 'trainer');
const max = someone('max', 'trainer');

describe('the registry of datasets', () => {
  let databases: TestDatabases;
  let source: DataSource;
  let site: DatasetSite;

  beforeAll(async () => {
    databases = await TestDatabases.open();
    source = await databases.source();
  });
  beforeEach(async () => {
    site = await DatasetSite.open(source);
    site.documents.add(...Array.from({ length: 5 }, (_, index) => law(`L${index}`, 4)));
    await site.clear();
  });
  afterEach(() => site.close());
  afterAll(() => databases.close());

  const texts = (...all: string[]) => all.map((text) => ({ text }));

  it('keeps versions as they were, and tells what changed between them', async () => {
    const { dataset_id: id, content_hash: hash } = await site.built({ rows: texts('a', 'b', 'b', 'c') });
    const second = await site.nextVersion(id, { rows: texts('b', 'c', 'd') });
    expect(second).toMatchObject({ version: 2, status: 'completed', latest_completed: 2, document_count: 3 });
    const diff = await site.reports.diff(id, {}, erika);
    expect(diff).toMatchObject({ from: 1, to: 2, counts: { added: 1, removed: 2, unchanged: 2 } });
    expect(diff.added.map(({ row }) => row['text'])).toEqual(['d']);
    expect(diff.removed.map(({ row }) => row['text'])).toEqual(['a', 'b']);
    const { versions } = await site.datasets.versions(id, erika);
    expect(versions.map(({ version, status }) => [version, status])).toEqual([
      [2, 'completed'],
      [1, 'completed'],
    ]);
    expect((await site.datasets.versionView(id, 1, erika)).content_hash).toBe(hash);
  });

  it('shows the newest version that is completed while a further one fails', async () => {
    const { dataset_id: id } = await site.built({ rows: texts('a') });
    const failed = await site.nextVersion(id, { search_query: { query_text: 'gibt es nicht' } });
    expect(failed).toMatchObject({ status: 'failed', version: 2, latest_completed: 1 });
    expect((await site.files.resolve(`dataset:${id}`, erika)).version).toBe(1);
    expect((await site.reports.rows(id, 1, {}, erika)).rows).toHaveLength(1);
    await expect(site.reports.rows(id, 2, {}, erika)).rejects.toThrow('Dataset not ready (status: failed)');
  });

  it('pages through rows and their lineage', async () => {
    const { dataset_id: id } = await site.built({ documents: { document_ids: ['L1', 'L2'] } });
    const seen: number[] = [];
    for (let from: number | null = 0; from !== null;) {
      const page = await site.reports.rows(id, 1, { from, limit: 5 }, erika);
      seen.push(...page.rows.map(({ ordinal }) => ordinal));
      from = page.next_from;
    }
    expect(seen).toEqual(Array.from({ length: 16 }, (_, index) => index));
    const lineage = await site.reports.lineage(id, { limit: 3 }, erika);
    expect(lineage).toMatchObject({
      sources: { document: 16 },
      documents: [
        { document_id: 'L1', document_version: 1, rows: 8 },
        { document_id: 'L2', document_version: 1, rows: 8 },
      ],
      next_from: 3,
    });
    expect(lineage.rows[0]).toMatchObject({ source: 'document', document_id: 'L1', chunk_id: 'L1-1-0', ordinal: 0 });
    const { rows } = await site.reports.rows(id, 1, { split: 'train' }, erika);
    expect(rows.every(({ split }) => split === 'train')).toBe(true);
    const analysis = await site.reports.analysis(id, undefined, erika);
    expect(analysis.distributions['quality']).toMatchObject({ mean: expect.any(Number) });
    expect(analysis.worst_rows[0]).toMatchObject({ reasons: [expect.stringMatching(/^length: /)] });
  });

  describe('exports', () => {
    const conversation = {
      messages: [
        { role: 'user', content: 'Frage?' },
        { role: 'assistant', content: 'Antwort.' },
      ],
    };

    it('any format at any time, each of which can be read again', async () => {
      const { dataset_id: id } = await site.built({ rows: [conversation], name: 'Fragen für Ämter' });
      for (const format of exportFormats.filter((each) => !/preference|llama/.test(each))) {
        const reply = await site.exports.export(id, { format }, erika);
        expect(reply).toMatchObject({ success: true, format, version: 1 });
        const path = join(site.folder, reply.export_path);
        expect((await readFile(path)).length).toBe(reply.bytes);
        const rows: unknown[] = [];
        for await (const { row } of readRows(path, new AbortController().signal)) rows.push(row);
        expect(rows).toHaveLength(1);
      }
      const again = await site.exports.export(id, { format: 'csv' }, erika);
      expect(again.export_path).toContain('Fragen_für_Ämter.csv');
      const { data } = await site.datasets.get(id, erika);
      expect(Object.keys(data.export_paths)).toEqual(exportFormats.filter((each) => !/preference|llama/.test(each)));
    });

    it('rows without what is not trained on, and one split alone', async () => {
      const { dataset_id: id } = await site.built({ documents: { document_ids: ['L0', 'L1', 'L2', 'L3'] } });
      const plain = await site.exports.export(
        id,
        { format: 'jsonl', include_metadata: false, split: 'validation' },
        erika,
      );
      const lines = (await readFile(join(site.folder, plain.export_path), 'utf8')).trim().split('\n');
      expect(lines.map((line) => Object.keys(JSON.parse(line) as object))).toEqual(
        Array.from({ length: 8 }, () => ['text']),
      );
      expect(plain.download_url).toContain('split=validation&include_metadata=false');
    });

    it('says what a format cannot hold, and leaves nothing behind', async () => {
      const { dataset_id: id } = await site.built({ rows: texts('nur Text'), export_formats: [] });
      await expect(site.exports.export(id, { format: 'alpaca' }, erika)).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('row 0 is plain text, which alpaca cannot hold'),
      });
      expect(await readdir(join(site.data, 'datasets', id, 'v1', 'exports'))).toEqual([]);
    });

    it('a folder for LLaMA-Factory', async () => {
      const { dataset_id: id } = await site.built({ rows: [conversation, { ...conversation, kto_tag: false }] });
      const reply = await site.exports.export(id, { format: 'llamafactory' }, erika);
      const { unzipSync } = await import('fflate');
      const files = unzipSync(await readFile(join(site.folder, reply.export_path)));
      const info = JSON.parse(Buffer.from(files['dataset_info.json'] ?? []).toString()) as Record<
        string,
        { file_name: string }
      >;
      for (const { file_name: name } of Object.values(info)) expect(files[name]?.length).toBeGreaterThan(10);
      expect(Object.keys(info)).toHaveLength(2);
    });
  });

  it('is changed by owners and admins alone', async () => {
    const { dataset_id: id } = await site.built({ rows: texts('a') });
    await expect(site.datasets.get(id, max)).resolves.toBeTruthy();
    await expect(site.datasets.remove(id, max)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(site.nextVersion(id, { rows: texts('b') }, max)).rejects.toMatchObject({ code: 'forbidden' });
    await site.datasets.remove(id, someone('chef', 'admin'));
    await expect(site.datasets.get(id, erika)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('deletes nothing that a job needs, and in the end everything', async () => {
    const { dataset_id: id } = await site.built({ rows: texts('a', 'b') });
    site.uses.jobs = ['j1'];
    await expect(site.datasets.remove(id, erika)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('j1'),
    });
    site.uses.jobs = [];
    await site.datasets.remove(id, erika);
    expect(await site.sweeper.sweep(3600)).toBe(0);
    // A job that was posted in the same moment still finds its files.
    site.uses.jobs = ['j2'];
    expect(await site.sweeper.sweep(0)).toBe(0);
    expect(await readdir(join(site.data, 'datasets', id))).toEqual(['v1']);
    site.uses.jobs = [];
    expect(await site.sweeper.sweep(0)).toBe(1);
    expect(await readdir(join(site.data, 'datasets'))).not.toContain(id);
    expect(await rowsOf(source, 'SELECT 1 FROM dataset_rows UNION ALL SELECT 1 FROM dataset_versions')).toEqual([]);
  });

  it('answers a repeated request with the first set', async () => {
    const body = { name: 'Einmal', rows: texts('a') };
    const ask = (change: object = {}) =>
      site.creation.create({ body: { ...body, ...change }, caller: erika, upload: undefined, idempotencyKey: 'k' });
    const first = await ask();
    const both = await Promise.all([ask(), ask()]);
    expect(both.map(({ dataset_id: id }) => id)).toEqual([first.dataset_id, first.dataset_id]);
    await expect(ask({ description: 'anders' })).rejects.toMatchObject({ code: 'conflict' });
    expect(await site.store.count(undefined, erika)).toBe(1);
    expect(await readdir(join(site.data, 'datasets', '.incoming'))).toHaveLength(1);
    await site.builder.buildNext();
    expect(await readdir(join(site.data, 'datasets', '.incoming'))).toEqual([]);
  });

  describe('the files for trainings', () => {
    it('are fixed when they are resolved', async () => {
      const { dataset_id: id, content_hash: hash } = await site.built({
        documents: { document_ids: ['L0', 'L1', 'L2', 'L3'] },
      });
      const file = await site.files.resolve(`dataset:${id}`, max);
      expect(file).toMatchObject({ datasetId: id, version: 1, reference: `dataset:${id}@1`, contentHash: hash });
      expect(file.train.path).toBe(join(site.data, 'datasets', id, 'v1', 'train.jsonl'));
      expect(file.validation?.path).toContain('validation.jsonl');
      await writeFile(file.train.path, '{"text":"anders und länger"}\n');
      await expect(site.files.resolve(`dataset:${id}@1`, max)).rejects.toThrow('was changed');
      await rm(file.train.path);
      await expect(site.files.resolve(`dataset:${id}@1`, max)).rejects.toThrow('are not on this host');
    });

    it.each([
      ['dataset:', 'is no reference'],
      ['dataset:abc@1', 'is no reference'],
      ['dataset:00000000-0000-4000-8000-000000000000', 'there is no dataset'],
    ])('of %s are refused', (reference, message) =>
      expect(site.files.resolve(reference, erika)).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining(message),
        problems: [{ path: 'dataset_path', message: expect.any(String) }],
      }),
    );

    it('are for readers only, by their paths too', async () => {
      site.documents.add(law('geheim', 3, { readers: ['owner:erika'] }));
      const { dataset_id: id } = await site.built({ documents: { document_ids: ['geheim'] } });
      await expect(site.files.resolve(`dataset:${id}`, max)).rejects.toThrow('there is no dataset');
      for (const path of [`data/datasets/${id}/v1/train.jsonl`, join(site.data, 'datasets', id, 'v1/train.jsonl')]) {
        await expect(site.files.checkPath(path, max)).rejects.toThrow('does not exist');
        await expect(site.files.checkPath(path, erika)).resolves.toBeUndefined();
      }
      await mkdir(join(site.data, 'uploads'), { recursive: true });
      await expect(site.files.checkPath('data/uploads/x.jsonl', max)).resolves.toBeUndefined();
    });
  });

  it('lists 100,000 sets by cursor within 20 ms on any page', async () => {
    await source.query(
      `INSERT INTO dataset_sets (dataset_id, name, owner, readers, status)
        SELECT gen_random_uuid(), 'Satz ' || n, 'owner ' || n % 50, CASE WHEN n % 10 = 0 THEN '{role:trainer}' ELSE '{*}' END::text[],
            CASE WHEN n % 3 = 0 THEN 'failed' ELSE 'completed' END FROM generate_series(1, 100000) AS n`,
    );
    await source.query(
      `INSERT INTO dataset_versions (dataset_id, number, state, source, options, created_by, rows)
        SELECT dataset_id, 1, status, '{"kind":"documents"}', '{"exportFormats":[],"split":{}}', owner, 7 FROM dataset_sets`,
    );
    // As the owner of the tables; in operation autovacuum does it.
    await runSql(
      { ...databases.admin, database: String(source.options.database) },
      'ANALYZE dataset_sets, dataset_versions',
    );
    for (const [caller, total] of [
      [someone('chef', 'admin'), 100_000],
      [max, 100_000],
      [someone('x', 'analyst'), 90_000],
    ] as const) {
      expect((await site.datasets.list({ limit: 100 }, caller)).total_count).toBe(total);
      const times: number[] = [];
      let pages = 0;
      for (let cursor: string | undefined; pages < 100; pages += 1) {
        const begun = performance.now();
        const page = await site.datasets.list({ limit: 100, ...(cursor ? { cursor } : {}) }, caller);
        times.push(performance.now() - begun);
        cursor = page.next_cursor ?? undefined;
      }
      times.sort((a, b) => a - b);
      process.stderr.write(`list of 100,000 sets: p50 ${times[50]?.toFixed(1)} ms, p99 ${times[98]?.toFixed(1)} ms\n`);
      expect(times[50]).toBeLessThan(20);
    }
    expect((await site.datasets.list({ status: 'failed', limit: 2 }, max)).total_count).toBe(33_333);
    await source.query('DELETE FROM dataset_sets');
    expect(await site.store.count(undefined, max)).toBe(0);
  });
});
