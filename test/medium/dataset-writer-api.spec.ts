import type { DataSource } from 'typeorm';
import type { DatasetReplyDto, LineageDto, VersionListDto } from '../../src/modules/dataset/dataset-replies.dto.js';
import { ChatServerFixture } from '../fixtures/chat-server.js';
import { DatasetApp } from '../fixtures/dataset-app.js';
import { law } from '../fixtures/datasets.js';
import { TestDatabases } from '../fixtures/test-database.js';

import.meta.jest.setTimeout(120_000);

const KEY = 'sk-geheim-0123456789';

describe('questions by a model in the API', () => {
  let databases: TestDatabases;
  let source: DataSource;
  let server: ChatServerFixture;
  let app: DatasetApp;

  beforeAll(async () => {
    databases = await TestDatabases.open();
    source = await databases.source();
    server = await ChatServerFixture.open();
    app = await DatasetApp.open(source, {
      CLARA_WRITER_URL: server.url,
      CLARA_WRITER_MODEL: 'kleines-modell',
      CLARA_WRITER_API_KEY: KEY,
    });
    app.documents.add(law('A', 4), law('B', 4), law('C', 4));
  });
  afterAll(async () => {
    await app?.close();
    await server?.close();
    await databases.close();
  });

  const documents = { document_ids: ['A', 'B', 'C'] };

  it('make a set by the server of the settings, and say so in its versions and its lineage', async () => {
    const made = await app.made({ documents, questions: { by: 'model', per_passage: 2 } });
    expect(made).toMatchObject({ status: 'completed', document_count: 12 });
    const path = `/api/datasets/${made.dataset_id}`;
    const { body } = await app.json<VersionListDto>('GET', `${path}/versions`);
    expect(body.versions[0]?.options).toMatchObject({
      row_form: 'questions',
      questions: {
        by: 'model',
        model: 'kleines-modell',
        per_passage: 2,
        prompt: expect.stringContaining('höchstens 2'),
      },
    });
    const lineage = await app.json<LineageDto>('GET', `${path}/lineage`);
    expect(lineage.body).toMatchObject({
      sources: { synthetic: 12 },
      rows: expect.arrayContaining([
        expect.objectContaining({ document_id: 'A', made_by: expect.objectContaining({ model: 'kleines-modell' }) }),
      ]),
    });
    expect(server.calls[0]?.authorization).toBe(`Bearer ${KEY}`);
  });

  it('keep who made them where an export comes back as an upload', async () => {
    const made = await app.made({ documents, questions: { by: 'model' } });
    const file = await app.call('GET', `/api/datasets/${made.dataset_id}/download?format=jsonl`);
    const form = new FormData();
    form.append('name', 'Wieder da');
    form.append('file', new Blob([await file.text()]), 'zeilen.jsonl');
    const { body } = await app.json<DatasetReplyDto>('POST', '/api/datasets', form);
    const back = await app.ended(body.dataset_id);
    expect(back).toMatchObject({ status: 'completed', document_count: 12 });
    const lineage = await app.json<LineageDto>('GET', `/api/datasets/${back.dataset_id}/lineage`);
    expect(lineage.body.sources).toEqual({ synthetic: 12 });
    expect(lineage.body.rows[0]).toMatchObject({ made_by: { model: 'kleines-modell', from: 'document' } });
  });

  it.each<[unknown, string]>([
    [{ by: 'model', per_passage: 0 }, 'per_passage'],
    [{ by: 'model', per_passage: 21 }, 'per_passage'],
    [{ by: 'model', prompt: '' }, 'prompt'],
    [{ by: 'somebody' }, 'by'],
    [{}, 'by'],
  ])('are refused as %j', async (questions, field) => {
    const { status, body } = await app.json('POST', '/api/datasets', { name: 'Ein Satz', documents, questions });
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain(field);
  });

  it('are not streamed', async () => {
    const request = { name: 'Ein Satz', documents, questions: { by: 'model' } };
    const { status, body } = await app.json('POST', '/api/datasets/stream', request);
    expect([status, JSON.stringify(body)]).toEqual([422, expect.stringContaining('templates only')]);
  });

  it('leave no key in the log', () => {
    expect(JSON.stringify(app.log.lines)).not.toContain(KEY);
    expect(app.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
