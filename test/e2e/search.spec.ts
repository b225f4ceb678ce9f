import { io, type Socket } from 'socket.io-client';
import { WebSocket } from 'ws';
import type { IngestionFileDto, IngestionJobDto } from '../../src/modules/ingestion/ingestion.dto.js';
import { App } from '../fixtures/app.js';
import { Documents, type Fields } from '../fixtures/documents.js';
import { EmbeddingServerFixture } from '../fixtures/embedding-server.js';
import { Issuer } from '../fixtures/issuer.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(120_000);

const vwvfg = `---
Title: Verwaltungsverfahrensgesetz
jurabk: VwVfG
---

# Verwaltungsverfahrensgesetz

## § 35 Begriff des Verwaltungsaktes

Verwaltungsakt ist jede Verfügung, die eine Behörde zur Regelung eines Einzelfalls trifft.

## § 48 Rücknahme

Ein rechtswidriger Verwaltungsakt nach § 35 kann zurückgenommen werden.
`;

const LEGS = ['/keyword', '/vector', '/graph', '/hybrid', ''];

describe('the search', () => {
  let app: App;
  let issuer: Issuer;
  let embeddings: EmbeddingServerFixture;
  let admin: Documents;
  let owner: Documents;
  let colleague: Documents;
  let auditor: Documents;
  const opened: { close(): unknown }[] = [];

  const tokenOf = (sub: string, role: string, groups: string[] = []): Promise<string> =>
    issuer.token({ sub, roles: [role], groups, exp: Math.floor(Date.now() / 1000) + 900 });

  beforeAll(async () => {
    issuer = await Issuer.start();
    embeddings = await EmbeddingServerFixture.open();
    const embedder = { CLARA_EMBEDDER: 'http', CLARA_EMBEDDING_URL: embeddings.url };
    app = await App.start({ env: { CLARA_SECURITY_MODE: 'development', ...issuer.env, ...embedder } });
    admin = new Documents(app, await tokenOf('admin', 'admin'));
    owner = new Documents(app, await tokenOf('anna', 'trainer'));
    colleague = new Documents(app, await tokenOf('bernd', 'trainer', ['/bauamt']));
    auditor = new Documents(app, await tokenOf('clara', 'analyst'));
  });
  afterEach(() => opened.splice(0).forEach((socket) => socket.close()));
  afterAll(async () => {
    await app.dispose();
    await embeddings.close();
    await issuer.stop();
  });

  describe('of a document that changes', () => {
    it('known bytes complete at once as the same document, with both names', async () => {
      const content = '# Satzung\n\nDie Hundesteuer beträgt 90 Euro im Jahr.\n';
      const id = await owner.add('satzung.md', content);
      const embedded = embeddings.inputs.length;
      expect(await owner.add('kopie/satzung-2.md', content)).toBe(id);
      const document = await owner.get(id);
      expect(document).toMatchObject({
        version: 1,
        filename: 'satzung.md',
        names: ['satzung.md', 'kopie/satzung-2.md'],
      });
      expect(embeddings.inputs.length).toBe(embedded);
      for (const filename of ['satzung.md', 'kopie/satzung-2.md'])
        expect(await owner.found('Hundesteuer', { filters: { filename } })).toEqual([id]);
    });

    it('a changed one is a new version, whose old words and references lead nowhere any more', async () => {
      const law = await owner.add(
        'gesetze/aende.md',
        vwvfg.replaceAll('VwVfG', 'AendG').replaceAll('Verwaltungsverf', 'Aenderungsverf'),
      );
      const old = '# Vermerk\n\nDas Zebrastreifenverzeichnis folgt aus § 35 AendG.\n';
      const id = await owner.add('vermerk.md', old);
      expect(await owner.found('Zebrastreifenverzeichnis', {}, '/keyword')).toEqual([id]);
      expect(await owner.found('§ 35 AendG', {}, '/graph')).toContain(id);
      expect(await owner.add('vermerk.md', '# Vermerk\n\nDas Ampelkonzept gilt.\n')).toBe(id);
      expect(await owner.get(id)).toMatchObject({ version: 2, chunks: 1, pending: [] });
      for (const leg of LEGS) {
        const hits = await owner.hits('Zebrastreifenverzeichnis § 35 AendG', {}, leg);
        expect(hits.filter(({ content }) => content.includes('Zebra'))).toEqual([]);
        if (leg !== '/vector') expect(hits.map(({ document_id }) => document_id)).toContain(law);
      }
      expect(await owner.found('Zebrastreifenverzeichnis', {}, '/keyword')).toEqual([]);
      expect(await owner.found('§ 35 AendG', {}, '/graph')).not.toContain(id);
      expect(await owner.found('Ampelkonzept', {}, '/keyword')).toEqual([id]);
    });

    it('of two versions that are sent at once, the later stays', async () => {
      const jobs: string[] = [];
      const versions = [1, 2, 3, 4].map((number) => `# Plan\n\nFassung ${'x'.repeat(9 - number)}${number}\n`);
      for (const content of versions) jobs.push(await owner.upload([{ name: 'plan.md', content }]));
      for (const job of jobs) await owner.ended(job);
      const [file] = await owner.files(jobs.at(-1) ?? '');
      const chunks = await owner.call<{ content: string }[]>('GET', `/api/documents/${file?.document_id}/chunks`);
      expect(chunks.body.map(({ content }) => content)).toEqual(['Fassung xxxxx4']);
      expect(await owner.get(file?.document_id ?? '')).toMatchObject({ version: 4 });
    });

    it('a removed one is found by nothing', async () => {
      const id = await owner.add('weg.md', '# Weg\n\nDie Kurtaxenregelung nach § 35 VwVfG entfällt.\n');
      expect(await owner.found('Kurtaxenregelung')).toContain(id);
      expect((await auditor.call('DELETE', `/api/documents/${id}`)).status).toBe(403);
      expect((await colleague.call('DELETE', `/api/documents/${id}`)).status).toBe(403);
      expect((await owner.call('DELETE', `/api/documents/${id}`)).status).toBe(200);
      for (const leg of LEGS) expect(await owner.found('Kurtaxenregelung § 35 VwVfG', {}, leg)).not.toContain(id);
      expect((await owner.call('GET', `/api/documents/${id}`)).status).toBe(404);
      expect((await owner.call('DELETE', `/api/documents/${id}`)).status).toBe(404);
    });
  });

  describe('shows nobody what they may not read', () => {
    const text = (what: string): string =>
      `# Akte ${what}\n\nDer Brunnenvermerk ${what} folgt aus § 35 VwVfG. abcabc\n`;
    let ids: Record<'owner' | 'group' | 'all', string>;
    let jobs: Record<'owner' | 'group' | 'all', string>;
    const files = { owner: 'akte-eigen.md', group: 'akte-gruppe.md', all: 'akte-alle.md' };
    const people = (): [string, Documents, (keyof typeof files)[]][] => [
      ['the owner', owner, ['owner', 'group', 'all']],
      ['a colleague of the group', colleague, ['group', 'all']],
      ['somebody else', auditor, ['all']],
      ['an admin', admin, ['owner', 'group', 'all']],
    ];

    beforeAll(async () => {
      await owner.add('gesetze/vwvfg.md', vwvfg);
      const readers: Record<keyof typeof files, Fields> = {
        owner: { readers: 'owner' },
        group: { readers: ['group:bauamt'] },
        all: {},
      };
      const made = { owner: '', group: '', all: '' };
      jobs = { ...made };
      ids = { ...made };
      for (const key of ['owner', 'group', 'all'] as const) {
        jobs[key] = await owner.upload([{ name: files[key], content: text(key) }], {
          ...readers[key],
          tags: `akte-${key}`,
        });
        await owner.ended(jobs[key]);
        ids[key] = (await owner.files(jobs[key]))[0]?.document_id ?? '';
      }
    });

    it('in any leg, alone or together, not even as a neighbour or among the related', async () => {
      for (const [who, documents, allowed] of people()) {
        const forbidden = Object.entries(ids).flatMap(([key, id]) => (allowed.includes(key as never) ? [] : [id]));
        const queries: [string, object, string][] = [
          ...LEGS.map((leg): [string, object, string] => ['Brunnenvermerk § 35 VwVfG', { top_k: 100 }, leg]),
          ['Akte akte-eigen.md', { search_types: ['relational'] }, ''],
          ['§ 35 VwVfG', { search_types: ['graph'] }, ''],
          ['Brunnenvermerk', { filters: { document_ids: Object.values(ids) } }, ''],
          ['Brunnenvermerk', { filters: { tags: ['akte-owner', 'akte-group', 'akte-all'] }, top_k: 100 }, '/vector'],
        ];
        for (const [query, more, leg] of queries) {
          const { body } = await documents.search(query, more as Record<string, unknown>, leg);
          const shown = JSON.stringify(body);
          expect([who, query, leg, forbidden.filter((id) => shown.includes(id))]).toEqual([who, query, leg, []]);
          const found = new Set(body.results.map(({ document_id }) => document_id));
          expect([who, leg, allowed.filter((key) => !found.has(ids[key]))]).toEqual([who, leg, []]);
        }
      }
    });

    it('in the documents', async () => {
      for (const [who, documents, allowed] of people()) {
        const listed = (await documents.list()).map(({ document_id }) => document_id);
        for (const key of ['owner', 'group', 'all'] as const) {
          const status = allowed.includes(key) ? 200 : 404;
          const answers = [
            await documents.call('GET', `/api/documents/${ids[key]}`),
            await documents.call('GET', `/api/documents/${ids[key]}/chunks`),
          ];
          expect([who, key, ...answers.map((answer) => answer.status)]).toEqual([who, key, status, status]);
          expect([who, key, listed.includes(ids[key])]).toEqual([who, key, status === 200]);
        }
      }
      for (const method of ['PATCH', 'DELETE'])
        for (const id of [ids.owner, ids.group])
          expect((await auditor.call(method, `/api/documents/${id}`, { body: {} })).status).not.toBe(200);
      const of = async (documents: Documents): Promise<number> =>
        (
          await documents.call<{ total_documents: number }>('GET', '/api/datasets/statistics', {
            port: app.ports.DATASET,
          })
        ).body.total_documents;
      expect([await of(admin), await of(owner)]).toEqual([await of(owner), (await of(colleague)) + 1]);
      expect(await of(colleague)).toBe((await of(auditor)) + 1);
    });

    it('in jobs and their files', async () => {
      for (const [who, documents, allowed] of people()) {
        const listed = (await documents.call<IngestionJobDto[]>('GET', '/jobs?limit=1000')).body;
        for (const key of ['owner', 'group', 'all'] as const) {
          const status = allowed.includes(key) ? 200 : 404;
          for (const what of ['', '/status', '/files', '/failed-files', '/metrics']) {
            const answer = await documents.call<IngestionFileDto[]>('GET', `/jobs/${jobs[key]}${what}`);
            expect([who, key, what, answer.status]).toEqual([who, key, what, status]);
          }
          const isListed = listed.some(({ job_id }) => job_id === jobs[key]);
          expect([who, key, isListed]).toEqual([who, key, status === 200]);
        }
      }
      expect((await colleague.call('POST', `/jobs/${jobs.group}/recover`)).status).toBe(403);
      expect((await colleague.call('DELETE', `/jobs/${jobs.owner}`)).status).toBe(404);
    });

    it('over sockets', async () => {
      const heard = new Map<string, Set<unknown>>();
      for (const [who, documents] of people()) {
        const told = new Set<unknown>();
        heard.set(who, told);
        const socket = new WebSocket(`ws://127.0.0.1:${app.ports.INGESTION}/ws/jobs`, { headers: documents.headers });
        let isGreeted = false;
        socket.on('message', (data: Buffer) => {
          isGreeted = true;
          told.add((JSON.parse(data.toString()) as Record<string, unknown>)['job_id']);
        });
        const options = { forceNew: true, transports: ['websocket'], extraHeaders: documents.headers };
        const other: Socket = io(`http://127.0.0.1:${app.ports.INGESTION}`, options);
        other.on('ingestion_job_update', (frame: { job_id: string }) => told.add(`io ${frame.job_id}`));
        opened.push({ close: () => socket.terminate() }, other);
        await eventually('both are connected', () => isGreeted && other.connected, 10_000);
        await other.timeout(5000).emitWithAck('watch', 'ingestion');
      }
      const own = await owner.upload([{ name: 'eigen-2.md', content: text('nur mir') }], { readers: 'owner' });
      const group = await owner.upload([{ name: 'gruppe-2.md', content: text('uns') }], { readers: 'group:bauamt' });
      const all = await owner.upload([{ name: 'alle-2.md', content: text('allen') }]);
      for (const job of [own, group, all]) await owner.ended(job);
      const isTold = (): boolean => [...heard.values()].every((told) => told.has(all) && told.has(`io ${all}`));
      await eventually('everybody heard of what is for all', isTold, 10_000);
      for (const [who, , allowed] of people())
        for (const [key, job] of Object.entries({ owner: own, group }))
          for (const name of [job, `io ${job}`])
            expect([who, key, heard.get(who)?.has(name)]).toEqual([who, key, allowed.includes(key as never)]);
    });

    it('any more, once the readers are changed', async () => {
      const id = await owner.add('wechsel.md', '# Wechsel\n\nDer Seilbahnvermerk aus § 35 VwVfG. abc\n');
      expect(await auditor.found('Seilbahnvermerk')).toContain(id);
      const body = { readers: ['group:bauamt'] };
      expect((await auditor.call('PATCH', `/api/documents/${id}`, { body })).status).toBe(403);
      expect((await owner.call('PATCH', `/api/documents/${id}`, { body })).status).toBe(200);
      for (const leg of LEGS) expect(await auditor.found('Seilbahnvermerk § 35 VwVfG', {}, leg)).not.toContain(id);
      await eventually('all stores follow', async () => (await owner.get(id)).pending.length === 0, 20_000);
      for (const leg of LEGS)
        expect(await colleague.found('Seilbahnvermerk § 35 VwVfG', { top_k: 100 }, leg)).toContain(id);
      const wrong = await owner.call('PATCH', `/api/documents/${id}`, { body: { readers: ['bauamt'] } });
      expect([wrong.status, JSON.stringify(wrong.body)]).toEqual([422, expect.stringContaining('readers')]);
    });
  });
});
