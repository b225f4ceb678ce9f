import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { DatasetApp } from '../fixtures/dataset-app.js';
import { law } from '../fixtures/datasets.js';
import { TestDatabases } from '../fixtures/test-database.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(180_000);

interface Reply {
  success: boolean;
  dataset_id: string;
  status: string;
  message: string;
  data: Record<string, unknown> & { status: string; metadata: Record<string, unknown> };
}
interface Problem {
  status: number;
  detail: string;
  errors?: { path: string }[];
}

/** Rows that differ, as the checks want them. */
const texts = {
  a: 'Der Antrag ist schriftlich bei der Gemeinde zu stellen.',
  b: 'Die Behörde entscheidet innerhalb von drei Monaten über das Vorhaben.',
  c: 'Gegen den Bescheid kann Widerspruch erhoben werden, und zwar binnen eines Monats.',
};

describe('the dataset API', () => {
  let databases: TestDatabases;
  let source: DataSource;
  let app: DatasetApp;

  beforeAll(async () => {
    databases = await TestDatabases.open();
    source = await databases.source();
    app = await DatasetApp.open(source, { CLARA_DATASET_MAX_UPLOAD_MB: '1' });
    app.documents.add(...Array.from({ length: 6 }, (_, index) => law(`L${index}`, 4)));
  });
  afterAll(async () => {
    await app.close();
    await databases.close();
  });

  const query = { query_text: 'Ermessen' };

  const ended = (id: string) => app.ended(id);
  const made = (body: object) => app.made(body);

  it('answers a creation at once in the envelope of the original', async () => {
    const { status, body } = await app.json<Reply>('POST', '/api/datasets', {
      name: 'Verwaltung Ärger_1',
      search_query: query,
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ success: true, status: 'pending', message: expect.any(String) });
    expect(Object.keys(body.data)).toEqual(
      expect.arrayContaining([
        'dataset_id',
        'name',
        'description',
        'status',
        'created_at',
        'created_by',
        'query_text',
        'document_count',
        'total_tokens',
        'quality_score_avg',
        'export_paths',
        'metadata',
      ]),
    );
    expect(await ended(body.dataset_id)).toMatchObject({
      status: 'completed',
      document_count: 24,
      query_text: 'Ermessen',
    });
  });

  it('takes null for what is optional, and the alias of the path', async () => {
    const nulls = { top_k: null, filters: null, min_quality_score: null, search_types: null, weights: null };
    const body = {
      name: 'Mit Nullen',
      description: null,
      search_query: { ...query, ...nulls },
      documents: null,
      rows: null,
      upload: null,
      split: null,
      readers: null,
      export_formats: null,
      row_form: null,
      min_quality_score: null,
    };
    expect((await app.json('POST', '/api/datasets/create', body)).status).toBe(200);
    expect((await app.json('POST', '/api/datasets', { ...body, name: null })).status).toBe(422);
  });

  it.each<[object, string]>([
    [{ name: 'ab' }, 'name'],
    [{ name: 'a/b c' }, 'name'],
    [{ name: '   ' }, 'name'],
    [{ search_query: { ...query, top_k: 1001 } }, 'search_query.top_k'],
    [{ search_query: { ...query, min_quality_score: 1.1 } }, 'search_query.min_quality_score'],
    [{ search_query: { ...query, search_types: ['magic'] } }, 'search_query.search_types'],
    [{ search_query: { ...query, weights: { magic: 1 } } }, 'search_query.weights.magic'],
    [{ search_query: { ...query, filters: { kinds: 7 } } }, 'search_query.filters.kinds'],
    [{ search_query: { query_text: '' } }, 'search_query.query_text'],
    [{ search_query: undefined }, 'search_query'],
    [{ rows: [{ text: 'a' }] }, 'search_query'],
    [{ search_query: undefined, documents: {} }, 'documents'],
    [{ export_formats: ['xlsx'] }, 'export_formats'],
    [{ split: { train: 0.5, validation: 0.1, test: 0.1 } }, 'split'],
    [{ readers: ['everybody'] }, 'readers'],
    [{ search_query: undefined, upload: { path: '../etc/passwd' } }, 'upload.path'],
  ])('refuses %j', async (change, path) => {
    const { status, body } = await app.json<Problem>('POST', '/api/datasets', {
      name: 'Gut genug',
      search_query: query,
      ...change,
    });
    expect([status, body.errors?.map((error) => error.path)]).toEqual([422, [path]]);
  });

  describe('a form', () => {
    const form = (text: string, fields: Record<string, string> = {}, file = 'Zeilen ä.jsonl'): FormData => {
      const data = new FormData();
      for (const [name, value] of Object.entries({ name: 'Hochgeladen', ...fields })) data.set(name, value);
      data.set('file', new Blob([text]), file);
      return data;
    };

    it('with a file makes a dataset', async () => {
      const fields = { export_formats: 'jsonl, csv', split: '{"validation": 0.5}', min_quality_score: '0.1' };
      const text = [
        '{"instruction":"Was kostet ein Personalausweis?","output":"Er kostet siebenunddreißig Euro."}',
        '{"instruction":"Wer erteilt die Baugenehmigung?","output":"Die untere Bauaufsichtsbehörde erteilt sie."}\n',
      ].join('\n');
      const { status, body } = await app.json<Reply>('POST', '/api/datasets', form(text, fields));
      expect(status).toBe(200);
      expect(await ended(body.dataset_id)).toMatchObject({
        status: 'completed',
        export_paths: { jsonl: expect.any(String), csv: expect.any(String) },
        metadata: { statistics: { kinds: { messages: 2 }, splits: { train: 1, validation: 1, test: 0 } } },
      });
    });

    it('with a file that is wrong tells where, by the name of the file', async () => {
      const { body } = await app.json<Reply>('POST', '/api/datasets', form('{"text":"a"}\n{"text":7}\n'));
      expect((await ended(body.dataset_id)).metadata['error']).toBe(
        'Zeilen ä.jsonl: line 2: text must be text, not a number',
      );
    });

    it.each([
      ['an empty file', form(''), 422, 'the file is empty'],
      ['an unknown kind', form('Ein Brief'), 422, 'none of jsonl, json, csv, parquet or arrow'],
      ['a bad name', form('{"text":"a"}', { name: 'x' }), 422, 'name'],
      ['broken JSON in a field', form('{"text":"a"}', { split: '{"a"' }), 422, 'split: is not JSON'],
      ['two sources', form('{"text":"a"}', { rows: '[{"text":"b"}]' }), 422, 'name one source'],
      ['a file that is too large', form('x'.repeat(1_100_000)), 413, 'larger than 1 MiB'],
    ])('with %s is refused, and nothing stays', async (_, body, status, detail) => {
      const answer = await app.json<Problem>('POST', '/api/datasets', body);
      expect(answer).toMatchObject({ status, body: { detail: expect.stringContaining(detail) } });
      await eventually(
        'the file is gone',
        async () => {
          const left = await readdir(join(app.folder, 'data/datasets/.incoming')).catch(() => []);
          return left.length === 0;
        },
        5000,
      );
    });

    it('is read by no other route', async () => {
      expect((await app.json('POST', '/api/datasets/stream', form('x'))).status).toBe(415);
      expect((await app.json('POST', '/api/training/jobs', form('x'))).status).toBe(415);
    });
  });

  it('lists on both paths, with the total and a cursor', async () => {
    await made({ rows: [{ text: 'a' }] });
    const { body } = await app.json<{ datasets: Record<string, unknown>[]; total_count: number; next_cursor: string }>(
      'GET',
      '/api/datasets?limit=1',
    );
    expect(body.datasets).toHaveLength(1);
    const alias = await app.json<typeof body>('GET', `/api/datasets/list?limit=1000&cursor=${body.next_cursor}`);
    expect(alias.body.datasets).toHaveLength(body.total_count - 1);
    const [offset] = (await app.json<typeof body>('GET', '/api/datasets?limit=1&offset=1')).body.datasets;
    expect(offset?.['dataset_id']).toBe(alias.body.datasets[0]?.['dataset_id']);
    for (const bad of ['cursor=x', 'limit=0', 'status=done', `cursor=${body.next_cursor}&offset=1`])
      expect((await app.json('GET', `/api/datasets?${bad}`)).status).toBe(422);
    expect((await app.json('GET', '/api/datasets?status=&offset=&limit=5')).status).toBe(200);
  });

  it('says that the dataset of a repeated key was deleted', async () => {
    const body = { name: 'Einmal', rows: [{ text: texts.a }] };
    const key = { 'idempotency-key': 'einmal' };
    const first = await app.json<Reply>('POST', '/api/datasets', body, key);
    await ended(first.body.dataset_id);
    expect((await app.json('DELETE', `/api/datasets/${first.body.dataset_id}`)).status).toBe(200);
    const again = await app.json<Problem>('POST', '/api/datasets', body, key);
    expect([again.status, again.body.detail]).toEqual([409, expect.stringContaining('was deleted')]);
  });

  it('answers 404 for what is not there, and 400 for what is not ready', async () => {
    const none = '00000000-0000-4000-8000-000000000000';
    const paths = ['', '/versions', '/versions/1', '/versions/1/rows', '/diff', '/lineage', '/analyze', '/download'];
    for (const id of [none, 'x'])
      for (const path of paths) expect((await app.json('GET', `/api/datasets/${id}${path}`)).status).toBe(404);
    const failed = await made({ search_query: { query_text: 'fehlt' } });
    const { status, body } = await app.json<Problem>('POST', `/api/datasets/${failed['dataset_id']}/export`, {
      format: 'jsonl',
    });
    expect([status, body.detail]).toEqual([400, expect.stringContaining('Dataset not ready (status: failed)')]);
    expect((await app.json('GET', `/api/datasets/${failed['dataset_id']}/versions/0`)).status).toBe(404);
  });

  it('makes versions, compares them, and shows rows, lineage and analysis', async () => {
    const { dataset_id: id } = await made({ rows: [{ text: texts.a }, { text: texts.b }] });
    const path = `/api/datasets/${id}`;
    expect(
      (await app.json<Reply>('POST', `${path}/versions`, { rows: [{ text: texts.b }, { text: texts.c }] })).status,
    ).toBe(200);
    await ended(id);
    const diff = await app.json<{ counts: object }>('GET', `${path}/diff?from=1&to=2`);
    expect(diff.body.counts).toEqual({ added: 1, removed: 1, unchanged: 1 });
    expect((await app.json<{ rows: object[] }>('GET', `${path}/versions/2/rows?limit=1`)).body).toMatchObject({
      rows: [{ ordinal: 0, row: { kind: 'text', text: texts.b } }],
      next_from: 1,
    });
    expect((await app.json('GET', `${path}/lineage`)).body).toMatchObject({ version: 2, sources: { upload: 2 } });
    for (const method of ['GET', 'POST'])
      expect((await app.json(method, `${path}/analyze?version=1`)).body).toMatchObject({
        version: 1,
        worst_rows: [{}, {}],
      });
    expect((await app.json<{ versions: object[] }>('GET', `${path}/versions`)).body.versions).toHaveLength(2);
  });

  it('answers a repeated Idempotency-Key with the first set', async () => {
    const key = { 'idempotency-key': 'abc' };
    const body = { name: 'Nur einmal', rows: [{ text: 'a' }] };
    const [one, two] = [
      await app.json<Reply>('POST', '/api/datasets', body, key),
      await app.json<Reply>('POST', '/api/datasets', body, key),
    ];
    expect(two.body.dataset_id).toBe(one.body.dataset_id);
    expect((await app.json('POST', '/api/datasets', { ...body, name: 'Anders' }, key)).status).toBe(409);
  });

  it('has logged no error, and describes every route', () => {
    expect(app.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
    const paths = Object.keys(app.description?.paths ?? {}).filter((path) => path.startsWith('/api/datasets'));
    expect(paths).toHaveLength(21);
  });
});
