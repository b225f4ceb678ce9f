import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import type { DatasetReplyDto, ExportReplyDto } from '../../src/modules/dataset/dataset-replies.dto.js';
import { App } from '../fixtures/app.js';
import { Issuer } from '../fixtures/issuer.js';
import { Jobs } from '../fixtures/jobs.js';
import { lawOf, Library } from '../fixtures/library.js';

import.meta.jest.setTimeout(120_000);

type Dataset = DatasetReplyDto['data'];
type Person = 'admin' | 'trainer' | 'analyst' | 'auditor' | 'stranger';
interface Row {
  ordinal: number;
  split: string;
  row: { text?: string };
  quality: number;
  check_score: number;
  origin: { documentId: string | null; chunkId: string | null; source: string };
  findings: { check: string; verdict: string; reason: string }[];
}
interface Statistics {
  left_out: Record<string, number>;
  splits: Record<string, number>;
  avg_quality_score: number;
  avg_check_score: number;
  [name: string]: unknown;
}

const people: Record<Person, string[]> = {
  admin: ['admin'],
  trainer: ['trainer'],
  analyst: ['analyst'],
  auditor: ['auditor'],
  stranger: ['analyst'],
};
const query = {
  query_text: 'Genehmigung einer Anlage € Wasserbehörde',
  min_quality_score: 0.2,
  search_types: ['keyword'],
};
const names = ['Bauprüfgesetz', 'Wasserordnung', 'Schulgesetz', 'Gewerbegesetz', 'Straßengesetz', 'Denkmalgesetz'];
const statisticsOf = ({ metadata }: Dataset): Statistics => metadata['statistics'] as Statistics;

describe('datasets', () => {
  let issuer: Issuer;
  let app: App;
  let library: Library;
  const as = {} as Record<Person, Record<string, string>>;
  let documents: { document_id: string; filename: string }[];
  let searched: Dataset;

  beforeAll(async () => {
    issuer = await Issuer.start();
    app = await App.start({ env: { CLARA_SECURITY_MODE: 'development', ...issuer.env } });
    library = new Library(app);
    for (const [name, roles] of Object.entries(people))
      as[name as Person] = { authorization: `Bearer ${await issuer.token({ sub: `f-${name}`, roles })}` };
    const laws = Object.fromEntries(
      names.map((name, at) => [`${name}.md`, lawOf(name, `${name.slice(0, 4)}G`, { from: at * 8 })]),
    );
    documents = (await library.upload(laws, as.analyst)) as typeof documents;
    searched = await library.make({ name: 'Genehmigung und Wasser', search_query: query }, as.analyst);
  }, 120_000);
  afterAll(async () => {
    await app.dispose();
    await issuer.stop();
  });

  const get = async <T>(path: string, person: Person = 'trainer') => {
    const { status, body } = await library.call<T>('GET', path, undefined, as[person]);
    return status === 200 ? body : Promise.reject(new Error(`${path}: ${status} ${JSON.stringify(body)}`));
  };
  const rowsOf = async ({ dataset_id: id, version }: Dataset, person: Person = 'trainer') =>
    (await get<{ rows: Row[] }>(`/${id}/versions/${version}/rows?limit=1000`, person)).rows;
  const rowsSet = (rows: unknown[], more = {}) => library.make({ rows, ...more }, as.trainer);
  const sentence = (at: number) =>
    `Die Behörde ${at} prüft den Antrag ${at * 7} von Grund auf und entscheidet über Fall ${at}.`;

  it('are searched by each leg, and say what is not there', async () => {
    for (const path of ['/search', '/search/hybrid', '/search/keyword', '/search/vector', '/search/graph']) {
      const { status, body } = await library.call<{
        success: boolean;
        results: unknown[];
        signals: Record<string, string>;
      }>('POST', path, { query_text: 'Wasserbehörde', top_k: 5 }, as.analyst);
      expect([path, status, body.success]).toEqual([path, 200, true]);
      if (path === '/search/vector') expect(body.signals['vector']).toMatch(/^unavailable/);
      if (path === '/search/keyword') expect(body.results).toHaveLength(5);
    }
    expect(await get('/statistics', 'analyst')).toMatchObject({ total_documents: 6, total_chunks: 48 });
  });

  it('come from a search, in the shape that clients of the original expect', async () => {
    expect(searched).toMatchObject({ status: 'completed', created_by: 'f-analyst', query_text: query.query_text });
    expect(searched.document_count).toBeGreaterThan(5);
    const statistics = statisticsOf(searched);
    expect(statistics).toMatchObject({
      total_documents: searched.document_count,
      avg_quality_score: searched.quality_score_avg,
    });
    for (const row of await rowsOf(searched)) {
      expect(row.quality).toBeGreaterThanOrEqual(query.min_quality_score);
      expect(row.findings.map(({ check }) => check)).toEqual(
        expect.arrayContaining(['language', 'near_duplicate', 'leakage']),
      );
      expect(row.findings.every(({ reason }) => reason !== '')).toBe(true);
    }
    expect(statistics.avg_check_score).toBeGreaterThan(0.9);
  });

  it('come from documents by templates, and never tear a document apart', async () => {
    const set = await library.make(
      { documents: { document_ids: documents.map((each) => each.document_id) }, row_form: 'questions' },
      as.analyst,
    );
    expect(statisticsOf(set)).toMatchObject({ kinds: { messages: 192 }, left_out: {}, source_documents: 6 });
    const rows = await rowsOf(set);
    const sides = new Map<string, Set<string>>();
    for (const { origin, split } of rows)
      sides.set(origin.documentId ?? '', (sides.get(origin.documentId ?? '') ?? new Set()).add(split));
    expect([...sides.values()].every((splits) => splits.size === 1)).toBe(true);
    expect(new Set(rows.map(({ split }) => split))).toEqual(new Set(['train', 'validation', 'test']));
  });

  it('are compared with those that are registered, as far as one may read them', async () => {
    const rows = Array.from({ length: 4 }, (_, at) => ({ text: sentence(100 + at) }));
    const first = await rowsSet(rows, { readers: ['role:trainer'] });
    const again = await rowsSet(rows);
    const found = (await rowsOf(again)).map(({ findings }) =>
      findings.find(({ check }) => check === 'registered_duplicate'),
    );
    expect(found.every((finding) => finding?.verdict === 'warn')).toBe(true);
    expect(found[2]?.reason).toBe(`The same text is in another dataset: row 2 of dataset:${first.dataset_id}@1`);
    await library.call('DELETE', `/${again.dataset_id}`, undefined, as.trainer);
    const elsewhere = await library.make({ rows }, as.stranger);
    const others = (await rowsOf(elsewhere)).flatMap(({ findings }) =>
      findings.filter(({ verdict }) => verdict !== 'ok'),
    );
    expect(others.map(({ check }) => check)).not.toContain('registered_duplicate');
  });

  it('are exported in every format and downloaded as they were written', async () => {
    const id = searched.dataset_id;
    const texts = ['jsonl', 'json', 'csv', 'parquet', 'text', 'llamafactory'];
    for (const format of texts) {
      const { status, body } = await library.call<ExportReplyDto>('POST', `/${id}/export`, { format }, as.trainer);
      expect([format, status, body.success]).toEqual([format, 200, true]);
      const bytes = await library.bytes(`/${id}/download?format=${format}`, as.trainer);
      expect(bytes.length).toBe(body.bytes);
      await expectRows(format, bytes);
    }
    const set = await library.make({ documents: { filters: {} }, row_form: 'questions' }, as.trainer);
    for (const format of ['messages', 'sharegpt', 'alpaca']) {
      const bytes = await library.bytes(`/${set.dataset_id}/download?format=${format}`, as.trainer);
      expect(bytes.toString().trim().split('\n')).toHaveLength(set.document_count);
    }
    const refused = await library.call('POST', `/${id}/export`, { format: 'kto' }, as.trainer);
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect(refused.status).toBeLessThan(500);
  });

  async function expectRows(format: string, bytes: Buffer): Promise<void> {
    const count = searched.document_count;
    if (format === 'jsonl') {
      const rows = bytes
        .toString()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(rows).toHaveLength(count);
      expect(Object.keys(rows[0] ?? {})).toEqual([
        'text',
        'metadata',
        'source',
        'quality_score',
        'document_id',
        'relevance_score',
      ]);
      expect(rows[0]).toMatchObject({ source: 'uds3_search' });
    }
    if (format === 'json')
      expect((JSON.parse(bytes.toString()) as { documents: unknown[] }).documents).toHaveLength(count);
    if (format === 'csv') expect(bytes.toString()).toContain('document_id,text,source,quality_score,relevance_score');
    if (format === 'parquet') {
      const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
      expect(await parquetReadObjects({ file })).toHaveLength(count);
    }
  }

  it('are streamed, whatever signs the query has', async () => {
    const response = await fetch(`http://127.0.0.1:${app.ports.DATASET}/api/datasets/stream`, {
      method: 'POST',
      headers: { ...as.analyst, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Gebühren', search_query: query }),
    });
    expect([response.status, decodeURIComponent(response.headers.get('x-query-text') ?? '')]).toEqual([
      200,
      query.query_text,
    ]);
    const lines = (await response.text()).trim().split('\n');
    expect(lines).toHaveLength(searched.document_count);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ text: expect.any(String), source: 'uds3_search' });
  });

  it('have versions with a difference, and a way back to chunk and document', async () => {
    const set = await rowsSet(Array.from({ length: 5 }, (_, at) => ({ text: sentence(200 + at) })));
    const id = set.dataset_id;
    const next = Array.from({ length: 5 }, (_, at) => ({ text: sentence(201 + at) }));
    expect((await library.call('POST', `/${id}/versions`, { rows: next }, as.trainer)).status).toBe(200);
    const second = await library.ended(id, as.trainer);
    expect(second).toMatchObject({ version: 2, status: 'completed', document_count: 5 });
    expect(await get(`/${id}/diff?from=1&to=2`)).toMatchObject({ counts: { added: 1, removed: 1, unchanged: 4 } });
    expect((await get<{ versions: unknown[] }>(`/${id}/versions`)).versions).toHaveLength(2);
    expect(await get(`/${id}/versions/1`)).toMatchObject({ version: 1, content_hash: set.content_hash });
    const lineage = await get<{ rows: { document_id: string; chunk_id: string }[] }>(`/${searched.dataset_id}/lineage`);
    const known = new Set(documents.map((each) => each.document_id));
    expect(lineage.rows).toHaveLength(searched.document_count);
    expect(lineage.rows.every((row) => known.has(row.document_id) && row.chunk_id !== '')).toBe(true);
  });

  it.each([
    ['nothing is found', { query_text: 'Quantenchromodynamik', search_types: ['keyword'] }, /found nothing/],
    ['only a leg that is away is asked', { query_text: 'Wasser', search_types: ['vector'] }, /vector is unavailable/],
  ])('fail with the reason where %s', async (_, search_query, reason) => {
    const set = await library.make({ search_query }, as.analyst);
    expect([set.status, set.metadata['error']]).toEqual(['failed', expect.stringMatching(reason)]);
    const refused = await library.call<{ detail: string }>(
      'POST',
      `/${set.dataset_id}/export`,
      { format: 'csv' },
      as.admin,
    );
    expect([refused.status, refused.body.detail]).toEqual([400, expect.stringContaining('failed')]);
  });

  it('honour the readers of documents', async () => {
    const secret = { 'geheim.md': lawOf('Geheimordnung', 'GehO', { from: 300 }) };
    await library.upload(secret, as.trainer, { readers: 'role:trainer' });
    const search_query = { query_text: '§ 2 GehO', search_types: ['keyword'], filters: { filename: 'geheim.md' } };
    const mine = await library.make({ search_query: { ...search_query, min_quality_score: 0 } }, as.trainer);
    expect(mine.status).toBe('completed');
    expect((await library.call('GET', `/${mine.dataset_id}`, undefined, as.stranger)).status).toBe(404);
    expect((await library.make({ search_query }, as.stranger)).metadata['error']).toMatch(
      /found nothing that you may read/,
    );
  });

  it('are made by analysts and not by auditors, and exported by trainers', async () => {
    const body = { name: 'Von wem', rows: [{ text: sentence(1) }] };
    const made = async (person: Person, path: string, sent: unknown) =>
      (await library.call('POST', path, sent, as[person])).status;
    expect(await made('auditor', '', body)).toBe(403);
    expect(await made('analyst', '/create', body)).toBe(200);
    expect(await made('analyst', `/${searched.dataset_id}/export`, { format: 'csv' })).toBe(403);
    expect((await library.call('GET', '/list', undefined, as.auditor)).status).toBe(200);
    expect((await library.call('GET', '')).status).toBe(401);
    const open = await app.call('GET', '/health', { port: app.ports.DATASET });
    expect(open.body).toMatchObject({ service: 'clara_dataset_backend', uds3_available: true });
    expect((await app.call('GET', '/', { port: app.ports.DATASET })).status).toBe(200);
  });

  it('are not deleted while a job needs them', async () => {
    const set = await rowsSet(Array.from({ length: 20 }, (_, at) => ({ text: sentence(400 + at) })));
    const jobs = new Jobs(app);
    const request = await jobs.request({ trainer_type: 'lora' });
    const dataset_path = `dataset:${set.dataset_id}@1`;
    const posted = await app.call<{ job_id: string }>('POST', '/api/training/jobs', {
      body: { ...request, dataset_path },
      headers: as.trainer,
    });
    expect(posted.status).toBe(200);
    const refused = await library.call<{ detail: string }>('DELETE', `/${set.dataset_id}`, undefined, as.trainer);
    if (refused.status === 409) expect(refused.body.detail).toContain(posted.body.job_id);
    else expect(await jobState(posted.body.job_id)).toMatch(/completed|failed/);
    const other = await rowsSet([{ text: sentence(500) }]);
    expect((await library.call('DELETE', `/${other.dataset_id}`, undefined, as.trainer)).status).toBe(200);
    expect((await library.call('GET', `/${other.dataset_id}`, undefined, as.trainer)).status).toBe(404);
  });

  const jobState = async (id: string) =>
    (await app.call<{ status: string }>('GET', `/api/training/jobs/${id}`, { headers: as.trainer })).body.status;

  it('come from a file on the server, and only from the folders for it', async () => {
    await writeFile(join(app.folder, 'datasets/server.jsonl'), JSON.stringify({ text: sentence(600) }));
    const set = await library.make({ upload: { path: join(app.folder, 'datasets/server.jsonl') } }, as.trainer);
    expect(set).toMatchObject({ status: 'completed', document_count: 1 });
    const kept = await readFile(join(app.folder, 'datasets/server.jsonl'), 'utf8');
    expect(kept).toContain('Fall 600');
    expect(
      (await library.call('POST', '', { name: 'Fremd', upload: { path: '/etc/passwd' } }, as.trainer)).status,
    ).toBe(422);
  });
});
