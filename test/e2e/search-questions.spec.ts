import type { CorpusStatisticsDto } from '../../src/modules/dataset/search.dto.js';
import { App } from '../fixtures/app.js';
import { Documents } from '../fixtures/documents.js';
import { EmbeddingServerFixture } from '../fixtures/embedding-server.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(120_000);

const vwvfg = `---
Title: Verwaltungsverfahrensgesetz
jurabk: VwVfG
---

# Verwaltungsverfahrensgesetz

## § 35 Begriff des Verwaltungsaktes

Verwaltungsakt ist jede Verfügung, die eine Behörde zur Regelung eines Einzelfalls trifft.

## § 48 Rücknahme eines rechtswidrigen Verwaltungsaktes

(1) Ein rechtswidriger Verwaltungsakt kann zurückgenommen werden; § 35 VwVfG gilt. Rücknahme, Rücknahme und § 35 VwVfG.

## § 49 Widerruf

Der Widerruf richtet sich nach § 48.
`;

const note =
  '# Merkblatt\n\n§ 35 VwVfG, § 35 VwVfG, § 35 VwVfG: Verwaltungsakt, Verfügung, Behörde, Regelung, Einzelfall.\n';
const permit = '# Bescheid\n\nDie Genehmigung für den Bau der Äußeren Brücke wird erteilt.\n';

type Problem = { detail: string; errors?: { path: string }[] };

describe('a question to the search, where the embedding model is missing', () => {
  let app: App;
  let documents: Documents;
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    app = await App.start();
    documents = new Documents(app);
    ids['vwvfg'] = await documents.add('gesetze/vwvfg.md', vwvfg, { tags: ['gesetz', 'bund'] });
    ids['note'] = await documents.add('merkblatt.txt', note, { tags: 'merkblatt' });
    ids['permit'] = await documents.add('bescheid.md', permit);
    ids['english'] = await documents.add(
      'notes/english.html',
      '<html><head><meta name="author" content="Jane"></head><body><h1>Permit</h1><p>The authority has granted the permit for the building of the new bridge, and it will be valid for three years.</p></body></html>',
    );
  });
  afterAll(() => app.dispose());

  it('puts the provisions that it names first, above what only speaks of them', async () => {
    const hits = await documents.hits('Was ist ein Verwaltungsakt nach § 35 VwVfG?');
    expect(hits[0]).toMatchObject({ document_id: ids['vwvfg'], metadata: { provision: 'vwvfg:35' }, score: 1 });
    expect(hits[0]?.explain['exact_provision']).toBe(true);
    expect(hits[0]?.content).toContain('Verwaltungsakt ist jede');
    expect(hits.slice(1).every(({ explain }) => explain['exact_provision'] === false)).toBe(true);
    const two = await documents.hits('§ 49 und § 48 VwVfG');
    expect(two.slice(0, 2).map(({ metadata }) => metadata['provision'])).toEqual(['vwvfg:49', 'vwvfg:48']);
    expect(await documents.found('Art. 35 GG', {}, '/graph')).toEqual([]);
  });

  it('says of each hit why it is there', async () => {
    const [hit] = await documents.hits('Genehmigung Brücke', {}, '/keyword');
    expect(hit).toMatchObject({ document_id: ids['permit'], source: 'keyword', related_docs: [] });
    expect(hit?.explain).toMatchObject({ signals: { keyword: { rank: 1 } }, graph_path: [] });
    expect(hit?.explain['matched']).toEqual(expect.arrayContaining([expect.stringMatching(/genehmig/i)]));
    expect(hit?.metadata).toMatchObject({
      filename: 'bescheid.md',
      title: 'Bescheid',
      path: ['Bescheid'],
      language: 'de',
    });
    const cited = (await documents.hits('§ 35 VwVfG', {}, '/graph')).find(
      ({ document_id }) => document_id === ids['note'],
    );
    expect(cited?.explain['graph_path']).toEqual([{ edge: 'referred_by', through: 'vwvfg:35' }]);
    expect(cited?.related_docs).toEqual([ids['vwvfg']]);
  });

  it('finds parts in compounds, and compounds by their parts; and other spellings', async () => {
    for (const question of [
      'Baugenehmigungsverfahren',
      'Brückenbaugenehmigung',
      'genehmigungen',
      'AEUSSERE',
      'Bruecken',
    ])
      expect([question, await documents.found(question, {}, '/keyword')]).toEqual([
        question,
        expect.arrayContaining([ids['permit']]),
      ]);
    expect(await documents.found('Donaudampfschifffahrt', {}, '/keyword')).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, string[]]>([
    ['tags', { tags: ['bund'] }, ['vwvfg']],
    ['any of the tags', { tags: ['merkblatt', 'bund'] }, ['note', 'vwvfg']],
    ['a kind', { document_type: 'txt' }, ['note']],
    ['a law', { law: 'vwvfg' }, ['vwvfg']],
    ['a name', { filename: 'gesetze/vwvfg.md' }, ['vwvfg']],
    ['metadata', { jurabk: 'VwVfG' }, ['vwvfg']],
    ['nested metadata', { metadata: { jurabk: 'VwVfG' } }, ['vwvfg']],
    ['two that do not fit together', { law: 'VwVfG', document_type: 'txt' }, []],
    ['no document', { document_ids: [] }, []],
    ['a time past', { created_to: '2020-01-31' }, []],
    ['a time since', { created_from: '2020-01-31T10:00:00Z' }, ['note', 'vwvfg']],
    ['a fact that nobody has', { unbekannt: "x' OR 1=1 --" }, []],
  ])('is limited to %s', async (_what, filters, wanted) => {
    for (const leg of ['', '/keyword', '/graph']) {
      const found = await documents.found('Verwaltungsakt nach § 35 VwVfG', { filters, top_k: 100 }, leg);
      expect([leg, found.toSorted()]).toEqual([leg, wanted.map((name) => ids[name] ?? '').toSorted()]);
    }
  });

  it('is limited by language, and by the number of hits', async () => {
    expect(await documents.found('permit bridge', { filters: { language: 'en' } })).toEqual([ids['english']]);
    expect(await documents.found('permit bridge', { filters: { language: ['de'] } })).not.toContain(ids['english']);
    expect(await documents.hits('Verwaltungsakt', { top_k: 1 })).toHaveLength(1);
    expect(await documents.hits('Verwaltungsakt', { min_quality_score: 1 })).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['query_text', { query_text: '' }],
    ['query_text', { query_text: 5 }],
    ['query_text', { query_text: 'x'.repeat(10_001) }],
    ['query_text', {}],
    ['top_k', { query_text: 'a', top_k: 0 }],
    ['top_k', { query_text: 'a', top_k: 1001 }],
    ['top_k', { query_text: 'a', top_k: 'viele' }],
    ['top_k', { query_text: 'a', top_k: 1.5 }],
    ['min_quality_score', { query_text: 'a', min_quality_score: -0.1 }],
    ['min_quality_score', { query_text: 'a', min_quality_score: 2 }],
    ['search_types', { query_text: 'a', search_types: ['vector', 'orakel'] }],
    ['search_types', { query_text: 'a', search_types: 'vector' }],
    ['weights.orakel', { query_text: 'a', weights: { orakel: 1 } }],
    ['weights.vector', { query_text: 'a', weights: { vector: 'viel' } }],
    ['weights.keyword', { query_text: 'a', weights: { keyword: -1 } }],
    ['weights', { query_text: 'a', weights: [1] }],
    ['fusion_method', { query_text: 'a', fusion_method: 'mix' }],
    ['filters', { query_text: 'a', filters: 'tags' }],
    ['filters', { query_text: 'a', filters: ['tags'] }],
    ['filters.tags', { query_text: 'a', filters: { tags: [5] } }],
    ['filters.document_ids', { query_text: 'a', filters: { document_ids: ['keine'] } }],
    ['filters.created_from', { query_text: 'a', filters: { created_from: 'gestern' } }],
    ['filters.created_to', { query_text: 'a', filters: { created_to: '2026-13-45' } }],
    ['filters.created_to', { query_text: 'a', filters: { created_to: '2026-02-30' } }],
    ['filters.created_from', { query_text: 'a', filters: { created_from: '0000-01-01' } }],
    ['filters.created_from', { query_text: 'a', filters: { created_from: '2026-01-31T10:00+23:59' } }],
    ['filters.jurabk', { query_text: 'a', filters: { jurabk: { $ne: null } } }],
    ['filters.metadata', { query_text: 'a', filters: { metadata: 'x' } }],
  ])('is refused with the path of what is wrong: %s, %j', async (path, body) => {
    for (const leg of ['', '/keyword']) {
      const url = `/api/datasets/search${leg}`;
      const answer = await documents.call<Problem>('POST', url, { body, port: app.ports.DATASET });
      expect([answer.status, JSON.stringify(answer.body)]).toEqual([422, expect.stringContaining(`"${path}"`)]);
    }
  });

  it('of signs, of one letter, or as long as a page, is answered', async () => {
    for (const question of [
      '(',
      "a:b & ' \\ %",
      '§',
      'x',
      '🚧',
      'Verwaltungsakt '.repeat(600),
      '§ 35 VwVfG '.repeat(500),
    ])
      expect((await documents.search(question)).status).toBe(200);
  });

  it('is answered without the vectors, and says why; only who asks for nothing else finds nothing', async () => {
    const alone = await documents.search('§ 35 VwVfG Verwaltungsakt', {}, '/vector');
    expect(alone).toMatchObject({ status: 200, body: { success: true, results: [], documents_found: 0 } });
    expect(alone.body.signals['vector']).toMatch(/^unavailable: .*multilingual-e5-small/);
    const { body } = await documents.search('§ 35 VwVfG Verwaltungsakt', { search_types: ['vector', 'keyword'] });
    expect(body.signals).toEqual({ vector: alone.body.signals['vector'], keyword: 'ok' });
    expect(body.results.length).toBeGreaterThan(1);
    expect(body.message).toContain('without vector');
  });

  it('leaves the application healthy, and degraded', async () => {
    const [file] = (await documents.get(ids['note'] ?? '')).pending;
    expect(file).toMatchObject({ store: 'vectors:pgvector', reason: expect.stringContaining('multilingual-e5-small') });
    for (const port of [app.ports.INGESTION, app.ports.DATASET, app.ports.TRAINING])
      expect(await app.call('GET', '/health', { port })).toMatchObject({ status: 200, body: { status: 'healthy' } });
    const ready = await app.call<{ status: string }>('GET', '/readyz');
    expect([ready.status, ready.body.status]).toEqual([200, 'degraded']);
    expect(JSON.stringify(ready.body)).toMatch(/"store":"vectors:pgvector","pending":4/);
    const { body } = await documents.call<CorpusStatisticsDto>('GET', '/api/datasets/statistics', {
      port: app.ports.DATASET,
    });
    expect(body).toMatchObject({ total_documents: 4, languages: { de: 3, en: 1 }, laws: { VwVfG: 1 } });
  });

  it('finds by meaning what was taken in before, once there is a model', async () => {
    const embeddings = await EmbeddingServerFixture.open();
    try {
      await app.kill('SIGTERM');
      await app.restart({ CLARA_EMBEDDER: 'http', CLARA_EMBEDDING_URL: embeddings.url });
      const isSettled = async () => (await documents.list()).every(({ pending }) => pending.length === 0);
      await eventually('every document has its vectors', isSettled, 30_000);
      const { body } = await documents.search('Verwaltungsakt', { top_k: 100 }, '/vector');
      expect(body.signals).toEqual({ vector: 'ok' });
      expect(new Set(body.results.map(({ document_id }) => document_id))).toEqual(new Set(Object.values(ids)));
      expect((await app.call<{ status: string }>('GET', '/readyz')).body.status).toBe('ok');
    } finally {
      await embeddings.close();
    }
  });
});
