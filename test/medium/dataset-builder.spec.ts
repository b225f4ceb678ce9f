import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { rowsOf } from '../../src/kernel/transaction.js';
import {
  BuildQueueStore,
  type BuiltVersion,
  type Claim,
  type IndexedRow,
} from '../../src/modules/dataset/build-queue.store.js';
import { OriginalQuality, RowQuality, type RowAssessment } from '../../src/modules/dataset/row-quality.js';
import { DatasetSite, law, someone } from '../fixtures/datasets.js';
import { TestDatabases } from '../fixtures/test-database.js';

import.meta.jest.setTimeout(120_000);

const never = (): Promise<never> => new Promise(() => undefined);

/** Judges until the process is killed, which here is a wait without an end. */
class DyingQuality extends RowQuality {
  #left: number;
  readonly died: Promise<void>;
  #die: () => void = () => undefined;

  constructor(rows: number) {
    super();
    this.#left = rows;
    this.died = new Promise((resolve) => (this.#die = resolve));
  }

  assess(...[row, context]: Parameters<RowQuality['assess']>): RowAssessment | Promise<RowAssessment> {
    this.#left -= 1;
    if (this.#left >= 0) return new OriginalQuality().assess(row, context);
    this.#die();
    return never();
  }
}

class SlowQuality extends RowQuality {
  async assess(...[row, context]: Parameters<RowQuality['assess']>): Promise<RowAssessment> {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return new OriginalQuality().assess(row, context);
  }
}

/** Loses its process while the index is written, or between the new name of the folder and the commit. */
class DyingQueue extends BuildQueueStore {
  readonly died: Promise<void>;
  #die: () => void = () => undefined;

  constructor(
    source: DataSource,
    private readonly where: 'index' | 'commit',
  ) {
    super(source);
    this.died = new Promise((resolve) => (this.#die = resolve));
  }

  override async addRows(build: string, rows: readonly IndexedRow[]): Promise<void> {
    await super.addRows(build, rows);
    if (this.where !== 'index') return;
    this.#die();
    await never();
  }

  override async complete(claim: Claim, built: BuiltVersion, publish: () => Promise<void>): Promise<boolean> {
    await publish();
    this.#die();
    return (await never()) || Boolean(claim || built);
  }
}

const rows = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ text: `Zeile ${index}`, metadata: { title: `T${index % 7}` } }));

describe('the building of datasets', () => {
  let databases: TestDatabases;
  let source: DataSource;
  let site: DatasetSite;

  beforeAll(async () => {
    databases = await TestDatabases.open();
    source = await databases.source();
  });
  beforeEach(async () => {
    site = await DatasetSite.open(source);
    site.documents.add(...Array.from({ length: 12 }, (_, index) => law(`L${index}`, 5)));
    await site.clear();
  });
  afterEach(() => site.close());
  afterAll(() => databases.close());

  const lines = async (path: string): Promise<Record<string, unknown>[]> =>
    (await readFile(path, 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  const folder = (id: string, version = 1): string => join(site.data, 'datasets', id, `v${version}`);

  it('answers at once with a pending set and builds it from a search', async () => {
    const made = await site.create({ search_query: { query_text: 'Ermessen', top_k: 30 } });
    expect(made).toMatchObject({ status: 'pending', query_text: 'Ermessen', document_count: 0, version: 1 });
    await site.builder.buildNext();
    const { data } = await site.datasets.get(made.dataset_id, someone('erika'));
    expect(data).toMatchObject({ status: 'completed', document_count: 30, readers: ['*'] });
    expect(data.metadata['statistics']).toMatchObject({
      total_documents: 30,
      source_documents: 6,
      sources: { search: 30 },
      document_types: { md: 30 },
      signals: { vector: 'ok', graph: 'ok' },
    });
    expect(data.export_paths['jsonl']).toMatch(/^data\/datasets\/.*\/v1\/exports\/Ein_Datensatz\.jsonl$/);
    const [first] = await lines(join(site.folder, data.export_paths['jsonl'] ?? ''));
    expect(first).toMatchObject({
      source: 'uds3_search',
      document_id: 'L0',
      relevance_score: 1,
      metadata: { title: 'TestgesetzL0' },
    });
  });

  it('keeps all rows of a document on one side, and the hash of what it wrote', async () => {
    const { dataset_id: id } = await site.built({ documents: { document_ids: [...site.documents.all.keys()] } });
    const all = await lines(join(folder(id), 'rows.jsonl'));
    const sides = new Map<string, Set<string>>();
    for (const row of all) {
      const { documentId } = row['origin'] as { documentId: string };
      sides.set(documentId, (sides.get(documentId) ?? new Set()).add(row['split'] as string));
    }
    expect(all).toHaveLength(120);
    expect([...sides.values()].every((set) => set.size === 1)).toBe(true);
    expect(new Set([...sides.values()].flatMap((set) => [...set]))).toEqual(new Set(['train', 'validation', 'test']));
    const version = await site.store.version(id, 1);
    const hash = createHash('sha256');
    for (const row of all) hash.update(`${row['split'] as string}:${row['hash'] as string}\n`);
    expect(version?.content_hash).toBe(hash.digest('hex'));
    const train = await readFile(join(folder(id), 'train.jsonl'));
    expect(version?.files.train).toMatchObject({
      sha256: createHash('sha256').update(train).digest('hex'),
      bytes: train.length,
    });
  });

  it('asks questions about provisions, marked with their templates', async () => {
    const { dataset_id: id, metadata } = await site.built({
      documents: { document_ids: ['L1'] },
      row_form: 'questions',
    });
    expect(metadata['statistics']).toMatchObject({
      total_documents: 20,
      sources: { synthetic: 20 },
      kinds: { messages: 20 },
    });
    const [first] = await lines(join(folder(id), 'rows.jsonl'));
    expect(first).toMatchObject({
      row: {
        kind: 'messages',
        messages: [{ role: 'user', content: 'Was regelt § 1 TestgesetzL1?' }, { role: 'assistant' }],
      },
      origin: { documentId: 'L1', chunkId: 'L1-1-0', madeBy: { template: 'provision-regulates', from: 'document' } },
    });
    expect(JSON.stringify(metadata)).toContain('validation and test stay empty');
  });

  it.each([
    [{ search_query: { query_text: 'gibt es nicht' } }, 'found nothing that you may read'],
    [{ documents: { document_ids: ['L1', 'fehlt'] } }, 'there are no such documents that you may read: fehlt'],
    [{ rows: [{ text: 'gut' }, { nichts: 1 }] }, 'line 2: has none of the known formats'],
    [{ rows: [{ text: 'kurz' }], min_quality_score: 0.9 }, 'all 1 rows were left out: quality below 0.9 (1)'],
    [{ rows: [{ text: 'x' }], export_formats: ['alpaca' as const] }, 'export as alpaca: row 0 is plain text'],
  ])('fails with the reason for %j', async (body, reason) => {
    const { dataset_id: id, status, metadata } = await site.built(body);
    expect(status).toBe('failed');
    expect(metadata['error']).toContain(reason);
    expect(await readdir(join(site.data, 'datasets', id))).toEqual([]);
    expect(await rowsOf(source, 'SELECT 1 FROM dataset_rows')).toEqual([]);
    await expect(site.files.resolve(`dataset:${id}`, someone('erika'))).rejects.toThrow(reason);
  });

  it('fails with the reason where only signals answer that are unavailable', async () => {
    site.search.outcome = { hits: [], signals: { vector: { state: 'unavailable', reason: 'no model' } }, tookMs: 1 };
    const { status, metadata } = await site.built({ search_query: { query_text: 'x', search_types: ['vector'] } });
    expect([status, metadata['error']]).toEqual([
      'failed',
      expect.stringContaining('nothing could be searched: vector is unavailable: no model'),
    ]);
  });

  it('lets only those read a set who may read the documents it came from', async () => {
    site.documents.add(law('geheim', 3, { readers: ['role:trainer', 'owner:erika'] }));
    const { dataset_id: id, readers } = await site.built({
      documents: { document_ids: ['L1', 'geheim'] },
      readers: ['*'],
    });
    expect(readers).toEqual(['role:trainer', 'owner:erika']);
    await expect(site.datasets.get(id, someone('max', 'trainer'))).resolves.toBeTruthy();
    await expect(site.datasets.get(id, someone('max', 'analyst'))).rejects.toMatchObject({ code: 'not_found' });
    const denied = await site.built({ documents: { document_ids: ['geheim'] } }, someone('max', 'analyst'));
    expect(denied.status).toBe('failed');
  });

  it.each<[string, () => DyingQuality | undefined, 'index' | 'commit' | undefined]>([
    ['while it reads', () => new DyingQuality(37), undefined],
    ['while it indexes', () => undefined, 'index'],
    ['between the new name and the commit', () => undefined, 'commit'],
  ])('begins again where its process was killed %s, with the same result', async (_, quality, where) => {
    const body = {
      documents: { document_ids: [...site.documents.all.keys()] },
      export_formats: ['jsonl' as const, 'csv' as const],
    };
    const whole = await site.built(body);
    const dying = quality();
    const queue = where && new DyingQueue(source, where);
    const first = site.again({ ...(dying ? { quality: dying } : {}), ...(queue ? { queue } : {}) });
    const { dataset_id: id } = await first.create(body);
    void first.builder.buildNext();
    await (dying ?? queue)?.died;
    const second = site.again();
    await second.builder.onApplicationBootstrap();
    for (let tries = 0; tries < 200; tries += 1) {
      if ((await second.datasets.get(id, someone('erika'))).data.status === 'completed') break;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    await second.builder.onApplicationShutdown();
    await first.builder.onApplicationShutdown();
    const { data } = await second.datasets.get(id, someone('erika'));
    expect(data).toMatchObject({ status: 'completed', content_hash: whole.content_hash, document_count: 120 });
    const [a, b] = [folder(whole.dataset_id), folder(id)];
    expect(await readdir(b, { recursive: true })).toEqual(await readdir(a, { recursive: true }));
    expect(await readFile(join(b, 'rows.jsonl'))).toEqual(await readFile(join(a, 'rows.jsonl')));
    expect((await readdir(join(site.data, 'datasets', id))).filter((name) => name !== 'v1')).toEqual([]);
    expect(await rowsOf(source, 'SELECT count(*)::int AS rows FROM dataset_rows')).toEqual([{ rows: 240 }]);
  });

  it('is given up after three attempts that came to nothing', async () => {
    const { dataset_id: id } = await site.create({ rows: rows(5) });
    await source.query(
      `UPDATE dataset_versions SET attempt = 3, state = 'processing', lease_until = now() - interval '1 s'`,
    );
    await site.builder.buildNext();
    expect((await site.datasets.get(id, someone('erika'))).data.metadata['error']).toContain('ended 3 times');
  });

  it('is done once, whoever else wants it', async () => {
    const sites = [site, site.again(), site.again()];
    for (let count = 0; count < 9; count += 1) await site.create({ rows: rows(20) });
    const built = await Promise.all(
      sites.map(async ({ builder }) => {
        let count = 0;
        while (await builder.buildNext()) count += 1;
        return count;
      }),
    );
    expect(built.reduce((sum, count) => sum + count, 0)).toBe(9);
    expect(await site.store.count('completed', someone('erika'))).toBe(9);
    expect(await rowsOf(source, 'SELECT max(attempt)::int AS attempts FROM dataset_versions')).toEqual([
      { attempts: 1 },
    ]);
  });

  it('ends when it is cancelled, waiting or running, and when it takes too long', async () => {
    const waiting = await site.create({ rows: rows(3) });
    await site.datasets.cancel(waiting.dataset_id, someone('erika'));
    expect(await site.builder.buildNext()).toBe(false);
    const slow = site.again({ quality: new SlowQuality() });
    const running = await slow.create({ rows: rows(2000) });
    const building = slow.builder.buildNext();
    while ((await slow.datasets.get(running.dataset_id, someone('erika'))).data.status !== 'processing')
      await new Promise((resolve) => setTimeout(resolve, 20));
    await slow.datasets.cancel(running.dataset_id, someone('erika'));
    await building;
    for (const { dataset_id: id } of [waiting, running])
      expect((await site.datasets.get(id, someone('erika'))).data).toMatchObject({
        status: 'failed',
        metadata: { error: 'the build was cancelled' },
      });
    await expect(site.datasets.cancel(running.dataset_id, someone('erika'))).rejects.toMatchObject({
      code: 'conflict',
    });
    const hasty = site.again({ datasets: { buildSeconds: 0.001 } });
    expect((await hasty.built({ rows: rows(5000) })).metadata['error']).toContain('CLARA_DATASET_BUILD_MINUTES');
  });

  it('takes a file from an allowed folder, and no other', async () => {
    await writeFile(join(site.folder, 'sets', 'a.csv'), 'instruction;output\nFrage;Antwort\n');
    const { metadata } = await site.built({ upload: { path: 'sets/a.csv' } });
    expect(metadata['statistics']).toMatchObject({ kinds: { messages: 1 } });
    for (const path of ['sets/../data/x.csv', '/etc/passwd', 'sets/b.csv', 'data/datasets/.place.jsonl'])
      await expect(site.create({ upload: { path } })).rejects.toMatchObject({ code: 'invalid' });
  });
});
