import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { rowsOf } from '../../src/kernel/transaction.js';
import { DatasetApp } from '../fixtures/dataset-app.js';
import { law } from '../fixtures/datasets.js';
import { TestDatabases } from '../fixtures/test-database.js';

import.meta.jest.setTimeout(180_000);

interface Problem {
  status: number;
  detail: string;
  errors?: { path: string }[];
}

describe('what comes out of datasets by the API', () => {
  let databases: TestDatabases;
  let source: DataSource;
  let app: DatasetApp;

  beforeAll(async () => {
    databases = await TestDatabases.open();
    source = await databases.source();
    app = await DatasetApp.open(source);
    app.documents.add(...Array.from({ length: 6 }, (_, index) => law(`L${index}`, 4)));
  });
  afterAll(async () => {
    await app.close();
    await databases.close();
  });

  const query = { query_text: 'Ermessen' };

  const made = (body: object) => app.made(body);

  it('exports and hands the file out', async () => {
    const { dataset_id: id } = await made({ name: 'Für Ämter', search_query: query });
    const { body } = await app.json<Record<string, string>>('POST', `/api/datasets/${id}/export`, {
      format: 'csv',
    });
    expect(body).toMatchObject({
      success: true,
      message: expect.any(String),
      export_path: expect.stringMatching(/\.csv$/),
    });
    const file = await app.call('GET', body['download_url'] ?? '');
    expect(file.headers.get('content-disposition')).toBe(
      `attachment; filename="F_r__mter.csv"; filename*=UTF-8''F%C3%BCr_%C3%84mter.csv`,
    );
    expect(file.headers.get('content-type')).toContain('text/csv');
    expect((await file.text()).split('\n')[0]).toBe('document_id,text,source,quality_score,relevance_score');
    for (const format of ['parquet', 'json', 'text', 'llamafactory'])
      expect((await app.call('GET', `/api/datasets/${id}/download?format=${format}`)).status).toBe(200);
    const refused = await app.json<Problem>('GET', `/api/datasets/${id}/download?format=alpaca`);
    expect([refused.status, refused.body.errors?.[0]?.path]).toEqual([422, 'format']);
    expect((await app.json('POST', `/api/datasets/${id}/export`, { format: 'xlsx' })).status).toBe(422);
  });

  it('streams rows as they are found, whatever signs the question has', async () => {
    const body = { name: 'Strom', search_query: { ...query, query_text: 'Behörde L1' } };
    const response = await app.call('POST', '/api/datasets/stream', body);
    expect(response.headers.get('content-type')).toContain('application/x-ndjson');
    const lines = (await response.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatchObject({ document_id: 'L1', source: 'uds3_search', relevance_score: 1 });
    expect(response.headers.get('x-query-text')).toBe('Beh%C3%B6rde%20L1');
    const euro = await app.call('POST', '/api/datasets/stream', {
      name: 'Strom ß',
      search_query: { query_text: '5 € Gebühr' },
    });
    expect([euro.status, await euro.text()]).toEqual([200, '']);
    expect(euro.headers.get('x-dataset-name')).toBe('Strom%20%C3%9F');
  });

  it('answers 503 where nobody can search, and the break of a stream in its last line', async () => {
    app.search.outcome = { hits: [], signals: { vector: { state: 'unavailable', reason: 'no model' } }, tookMs: 1 };
    const away = await app.json<Problem>('POST', '/api/datasets/stream', { name: 'Strom', search_query: query });
    expect([away.status, away.body.detail]).toEqual([503, expect.stringContaining('no model')]);
    app.search.outcome = undefined;
    const documents = { name: 'Strom', documents: { document_ids: ['L0', 'fehlt'] } };
    const lines = (await (await app.call('POST', '/api/datasets/stream', documents)).text()).trim().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toEqual({
      error: 'stream_broken',
      message: expect.stringContaining('fehlt'),
    });
  });

  describe('a job', () => {
    const job = (dataset: string) => ({ trainer_type: 'lora', config_path: 'configs/a.yaml', dataset_path: dataset });

    beforeAll(async () => {
      await writeFile(join(app.folder, 'configs/a.yaml'), 'training: {}\n');
      await mkdir(join(app.folder, 'data-samples'), { recursive: true });
    });

    it('trains on a version, evaluates on its held-out rows, and records both', async () => {
      const { dataset_id: id, content_hash: hash } = await made({
        documents: { document_ids: ['L0', 'L1', 'L2', 'L3', 'L4'] },
      });
      const { status, body } = await app.json<{ job_id: string; data: Record<string, unknown> }>(
        'POST',
        '/api/training/jobs',
        job(`dataset:${id}`),
      );
      expect([status, body.data['dataset_path']]).toEqual([200, `dataset:${id}@1`]);
      const [row] = await rowsOf<{
        config: { run: { data: Record<string, { path: string; sha256: string }[]> }; dataset: object };
      }>(source, 'SELECT config FROM training_job_configs WHERE job_id = $1', [body.job_id]);
      expect(row?.config.dataset).toEqual({
        reference: `dataset:${id}@1`,
        content_hash: hash,
        sha256: row?.config.run.data['train']?.[0]?.sha256,
      });
      expect(row?.config.run.data['train']?.[0]?.path).toMatch(/v1\/train\.jsonl$/);
      expect(row?.config.run.data['validation']?.[0]?.path).toMatch(/v1\/validation\.jsonl$/);
      const kept = await app.json<Problem>('DELETE', `/api/datasets/${id}`);
      expect([kept.status, kept.body.detail]).toEqual([409, expect.stringContaining(body.job_id)]);
      await app.json('DELETE', `/api/training/jobs/${body.job_id}`);
      expect((await app.json('DELETE', `/api/datasets/${id}`)).status).toBe(200);
      expect((await app.json('GET', `/api/datasets/${id}`)).status).toBe(404);
    });

    it('takes the path of an export as well', async () => {
      const { export_paths: paths } = await made({
        rows: [
          { text: 'Der Antrag ist schriftlich bei der Gemeinde zu stellen.' },
          { text: 'Die Behörde entscheidet innerhalb von drei Monaten über das Vorhaben.' },
        ],
      });
      const { status } = await app.json('POST', '/api/training/jobs', job(paths['jsonl'] ?? ''));
      expect(status).toBe(200);
    });

    it('is refused with the reason where the set cannot be trained on', async () => {
      const failed = await made({ search_query: { query_text: 'fehlt' } });
      for (const [dataset, reason] of [
        [`dataset:${failed['dataset_id']}`, 'found nothing'],
        [`dataset:${failed['dataset_id']}@7`, 'has no version 7'],
        ['dataset:nichts', 'is no reference'],
      ] as const) {
        const { status, body } = await app.json<Problem>('POST', '/api/training/jobs', job(dataset));
        expect([status, body.errors?.[0]?.path, body.detail]).toEqual([
          422,
          'dataset_path',
          expect.stringContaining(reason),
        ]);
      }
    });
  });

  it('has logged no error', () => expect(app.log.lines.filter(({ level }) => level === 'error')).toEqual([]));
});
