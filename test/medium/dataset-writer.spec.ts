import { appendFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { HttpQuestionWriter } from '../../src/adapters/writers/http-question-writer.js';
import { SystemClock } from '../../src/kernel/clock.js';
import type { CreateDatasetDto } from '../../src/modules/dataset/create-dataset.dto.js';
import type { VersionRow } from '../../src/modules/dataset/version-row.js';
import { ChatServerFixture, pairFor, say } from '../fixtures/chat-server.js';
import { DatasetSite, law, someone, type SiteOptions } from '../fixtures/datasets.js';
import { send } from '../fixtures/http-fixture.js';
import { TestDatabases } from '../fixtures/test-database.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(120_000);

const KEY = 'sk-geheim-0123456789';
const SOON_MS = 30_000;
const byModel = { questions: { by: 'model' as const } };

describe('questions that a model writes', () => {
  let databases: TestDatabases;
  let source: DataSource;
  let site: DatasetSite;
  let server: ChatServerFixture;
  const begun: DatasetSite[] = [];

  beforeAll(async () => {
    databases = await TestDatabases.open();
    source = await databases.source();
  });
  beforeEach(async () => {
    server = await ChatServerFixture.open();
    site = await DatasetSite.open(source, { writer: writer() });
    site.documents.add(...['A', 'B', 'C'].map((id) => law(id, 4)));
    await site.clear();
  });
  afterEach(async () => {
    await server.close();
    await Promise.all(begun.splice(0).map(({ builder }) => builder.onApplicationShutdown()));
    await site.close();
  });
  afterAll(() => databases.close());

  const writer = (change: Partial<{ timeoutMs: number; deadlineMs: number; model: string }> = {}) =>
    new HttpQuestionWriter(
      {
        url: server.url,
        apiKey: KEY,
        model: 'kleines-modell',
        maxTokens: 500,
        timeoutMs: 5000,
        deadlineMs: 20_000,
        ...change,
      },
      new SystemClock(),
    );
  const laws = (body: Partial<CreateDatasetDto> = {}): Partial<CreateDatasetDto> => ({
    documents: { document_ids: ['A', 'B', 'C'] },
    ...byModel,
    ...body,
  });
  const rowsOf = async (id: string, version = 1): Promise<VersionRow[]> =>
    (await readFile(join(site.data, 'datasets', id, `v${version}`, 'rows.jsonl'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as VersionRow);
  const statistics = (made: { metadata: Record<string, unknown> }) =>
    made.metadata['statistics'] as { left_out: Record<string, number>; sources: Record<string, number> };
  const again = (options: SiteOptions = {}): DatasetSite => {
    const other = site.again({ writer: writer(), ...options });
    begun.push(other);
    return other;
  };
  const isProvision =
    (number: number) =>
    ({ passage }: { passage: string }): boolean =>
      passage.includes(`> § ${number} `);

  it('become rows whose lineage names the model, the prompt and the passage', async () => {
    const made = await site.built(laws());
    expect(made).toMatchObject({ status: 'completed', document_count: 12 });
    expect(statistics(made)).toMatchObject({ sources: { synthetic: 12 }, left_out: {} });
    const { versions } = await site.datasets.versions(made.dataset_id, someone('erika'));
    const questions = versions[0]?.options['questions'] as { prompt: string; prompt_sha256: string };
    expect(questions).toMatchObject({ by: 'model', model: 'kleines-modell', per_passage: 3 });
    const [row] = await rowsOf(made.dataset_id);
    expect(row?.origin).toMatchObject({
      source: 'synthetic',
      documentId: 'A',
      documentVersion: 1,
      chunkId: 'A-1-0',
      madeBy: { model: 'kleines-modell', prompt_sha256: questions.prompt_sha256, from: 'document', grounding: '1.00' },
    });
    const [call] = server.calls;
    expect(call?.authorization).toBe(`Bearer ${KEY}`);
    expect(call?.body).toMatchObject({ model: 'kleines-modell', temperature: 0, seed: 0, max_tokens: 500 });
    expect(call?.body.messages[0]).toEqual({ role: 'system', content: questions.prompt });
    const lineage = await site.reports.lineage(made.dataset_id, {}, someone('erika'));
    expect(lineage.rows[0]).toMatchObject({ source: 'synthetic', chunk_id: 'A-1-0' });
    expect(await readdir(join(site.data, 'datasets', made.dataset_id))).toEqual(['v1']);
  });

  it('are written as the request says, and only of what its maker may read', async () => {
    site.documents.add(law('geheim', 2, { readers: ['role:chef'] }));
    const made = await site.built({
      search_query: { query_text: 'Behörde', min_quality_score: 0 },
      questions: { by: 'model', per_passage: 1, prompt: 'Schreibe kurze Fragen.' },
    });
    expect(made).toMatchObject({ status: 'completed', document_count: 12 });
    expect(server.calls.every(({ passage }) => !passage.includes('geheim'))).toBe(true);
    expect(server.calls[0]?.body.messages[0]?.content).toMatch(/^Schreibe kurze Fragen\.\nAntworte nur mit JSON/);
  });

  it('are asked for a second time where they cannot be read, and then left out', async () => {
    server.twist = (call, response) => {
      const isSecond = call.body.messages.length > 2;
      if (isProvision(1)(call) && !isSecond) say(response, 'Gerne! Hier sind die Fragen: [{"question": "Wa');
      else if (isProvision(2)(call)) say(response, isSecond ? '{"question": "?"}' : '[{"question": "Wer?"}]');
      else if (isProvision(3)(call)) say(response, '```json\n[]\n```');
      else if (isProvision(4)(call) && !isSecond) say(response, '[]', { finish_reason: 'length' });
      else return false;
      return true;
    };
    const made = await site.built(laws());
    expect(made).toMatchObject({ status: 'completed', document_count: 6 });
    expect(statistics(made).left_out).toEqual({ 'writer: no readable answer': 3, 'writer: nothing to ask': 3 });
    const repair = server.calls.find((call) => isProvision(1)(call) && call.body.messages.length === 4);
    expect(repair?.body.messages[3]?.content).toContain('it is not JSON');
    expect(server.calls).toHaveLength(12 + 9);
  });

  it('whose answers are not in the passage are left out and counted', async () => {
    const inventions = [
      'Die Behörde A entscheidet binnen 99 Tagen.',
      'Das folgt aus § 17 VwVfG.',
      'Katzen mögen Milch.',
    ];
    server.twist = (call, response) => {
      const good = pairFor(call.passage);
      const bad = inventions.map((answer) => ({ question: `${good.question} Und sonst?`, answer }));
      say(response, JSON.stringify([good, ...bad]));
      return true;
    };
    const made = await site.built(laws({ questions: { by: 'model', per_passage: 4 } }));
    expect(made).toMatchObject({ status: 'completed', document_count: 12 });
    expect(statistics(made).left_out).toEqual({ 'writer: the answer is not in the passage': 36 });
  });

  it('wait for a server that is busy, broken or slow, as long as they may', async () => {
    const seen = new Map<string, number>();
    server.twist = (call, response) => {
      const times = (seen.get(call.passage) ?? 0) + 1;
      seen.set(call.passage, times);
      if (times > 1) return false;
      if (isProvision(1)(call)) send(response, 429, { error: 'busy' }, { 'retry-after': '0' });
      else if (isProvision(2)(call)) send(response, 500, { error: 'oops' });
      else if (isProvision(3)(call)) response.socket?.destroy();
      else return isProvision(4)(call);
      return true;
    };
    const quick = again({ writer: writer({ timeoutMs: 500 }) });
    expect(await quick.built(laws())).toMatchObject({ status: 'completed', document_count: 12 });
    expect(server.calls).toHaveLength(24);
  });

  it('end with the reason where the server stays away, and go on from there with the next version', async () => {
    server.twist = (call, response) => {
      if (!call.passage.includes('TestgesetzC')) return false;
      send(response, 503, { error: 'out of order' }, { 'retry-after': '600' });
      return true;
    };
    const failed = await site.built(laws());
    expect(failed.status).toBe('failed');
    expect(failed.metadata['error']).toMatch(/model's server 127\.0\.0\.1:\d+ answers 503.*answers so far are kept/);
    const answered = server.calls.filter(({ passage }) => !passage.includes('TestgesetzC')).length;
    server.calls.length = 0;
    server.twist = () => false;
    expect(await site.nextVersion(failed.dataset_id, laws())).toMatchObject({
      status: 'completed',
      document_count: 12,
    });
    expect(answered).toBe(8);
    expect(server.calls).toHaveLength(4);
    expect(await readdir(join(site.data, 'datasets', failed.dataset_id))).toEqual(['v2']);
  });

  it('are not paid for twice where the build was killed', async () => {
    const whole = await site.built(laws());
    server.calls.length = 0;
    let asked = 0;
    server.twist = () => (asked += 1) > 5;
    const first = again();
    const { dataset_id: id } = await first.create(laws());
    void first.builder.buildNext();
    const kept = join(site.data, 'datasets', id, '.v1.answers.jsonl');
    const lines = (): Promise<number> =>
      readFile(kept, 'utf8').then(
        (text) => text.split('\n').length - 1,
        () => 0,
      );
    await eventually('five answers are kept', async () => (await lines()) === 5, SOON_MS);
    // As a kill leaves it.
    await appendFile(kept, '{"key":"halb');
    server.twist = () => false;
    server.calls.length = 0;
    const second = again();
    await second.builder.onApplicationBootstrap();
    const progress = await eventually(
      'it is built',
      async () => {
        const { data } = await second.datasets.get(id, someone('erika'));
        return data.status === 'completed' && data;
      },
      SOON_MS,
    );
    expect(progress).toMatchObject({ content_hash: whole.content_hash, document_count: 12 });
    expect(server.calls).toHaveLength(7);
  });

  it('tell how far they are, and end at once when they are cancelled', async () => {
    let asked = 0;
    server.twist = () => (asked += 1) > 4;
    const { dataset_id: id } = await site.create(laws());
    const building = site.builder.buildNext();
    const seen = async () => (await site.datasets.get(id, someone('erika'))).data.progress?.['passages'];
    await eventually('four are answered', async () => JSON.stringify(await seen())?.includes('"answered":4'), SOON_MS);
    await site.datasets.cancel(id, someone('erika'));
    await building;
    const { data } = await site.datasets.get(id, someone('erika'));
    expect(data).toMatchObject({ status: 'failed', metadata: { error: 'the build was cancelled' } });
  });

  it('tell what the server says to a wrong key, but not the key', async () => {
    server.twist = ({ authorization }, response) => {
      send(response, 401, { error: { message: `no access with ${authorization}` } });
      return true;
    };
    const made = await site.built(laws());
    expect(made.status).toBe('failed');
    expect(made.metadata['error']).toMatch(/answers 401: .*is CLARA_WRITER_API_KEY right\?/);
    expect(JSON.stringify([made, site.log.lines])).not.toContain(KEY);
  });

  it('are given up where the model refuses every passage, and left out where it refuses one', async () => {
    server.twist = (_, response) => {
      send(response, 400, { error: { message: 'seed is not supported' } });
      return true;
    };
    const none = await site.built(laws());
    expect(none.metadata['error']).toMatch(/refused each of the first 5 passages: .*seed is not supported/);
    expect(server.calls.length).toBeLessThan(9);
    server.twist = (call, response) => {
      if (isProvision(2)(call)) send(response, 400, { error: { message: 'content filter' } });
      return isProvision(2)(call);
    };
    const some = await site.built(laws());
    expect(some).toMatchObject({ status: 'completed', document_count: 9 });
    expect(statistics(some)).toMatchObject({
      left_out: { 'writer: refused by the model': 3 },
      warnings: [expect.stringContaining('content filter')],
    });
  });

  it('fail where another model is configured meanwhile', async () => {
    const { dataset_id: id } = await site.create(laws());
    await again({ writer: writer({ model: 'anderes' }) }).builder.buildNext();
    const { data } = await site.datasets.get(id, someone('erika'));
    expect(data.metadata['error']).toContain('by the model "kleines-modell", and "anderes" is configured now');
    expect(server.calls).toEqual([]);
  });

  it.each<[string, Partial<CreateDatasetDto>, RegExp]>([
    ['of rows', { rows: [{ text: 'a' }], ...byModel }, /questions: are made of documents/],
    ['beside another form', { ...laws(), row_form: 'text' }, /questions: are not made by row_form text/],
    ['with a prompt for templates', laws({ questions: { by: 'template', prompt: 'x' } }), /these are for by: model/],
  ])('are refused %s', async (_, body, message) => {
    await expect(site.create(body)).rejects.toThrow(message);
  });

  it('are refused where no model is configured', async () => {
    const bare = await DatasetSite.open(source);
    bare.documents.add(law('A', 1));
    await expect(bare.create(laws())).rejects.toThrow(/CLARA_WRITER_URL and CLARA_WRITER_MODEL/);
    const templates = await bare.built(laws({ documents: { document_ids: ['A'] }, questions: { by: 'template' } }));
    expect(templates).toMatchObject({ status: 'completed' });
    await bare.close();
  });
});
