import type { DataSource } from 'typeorm';
import { callerOf } from '../fixtures/callers.js';
import { DocumentStores, FakeGraph, KeepingVectors, type StoresOptions } from '../fixtures/document-stores.js';
import { TestDatabases } from '../fixtures/test-database.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(120_000);

const GRAPH = 'graph:fake-graph';
const VECTORS = 'vectors:pgvector';
const SOON_MS = 20_000;

describe('the stores of the documents', () => {
  let databases: TestDatabases;
  let source: DataSource;
  const opened: DocumentStores[] = [];

  beforeAll(async () => {
    databases = await TestDatabases.open();
  });
  beforeEach(async () => {
    source = await databases.source();
  });
  afterEach(() => Promise.all(opened.splice(0).map((stores) => stores.stop())));
  afterAll(() => databases.close());

  async function open(options?: StoresOptions): Promise<DocumentStores> {
    const stores = new DocumentStores(source, options);
    opened.push(stores);
    await stores.start();
    return stores;
  }
  async function restarted(stores: DocumentStores, options?: StoresOptions): Promise<DocumentStores> {
    opened.splice(opened.indexOf(stores), 1);
    await stores.stop();
    return open(options);
  }
  const settled = (stores: DocumentStores): Promise<boolean> =>
    eventually('nothing waits', async () => (await stores.count()) === 0, SOON_MS);
  const titles = ({ graph }: DocumentStores): string[] => [...graph.held.values()].map(({ title }) => title).toSorted();

  it('get every document, each change of it, and its end', async () => {
    const stores = await open();
    const { documentId } = await stores.publish('a', 'erste');
    await stores.publish('b');
    await settled(stores);
    expect(titles(stores)).toEqual(['a', 'b']);
    expect(await stores.publish('a', 'zweite')).toMatchObject({ documentId, version: 2 });
    await settled(stores);
    expect(stores.graph.held.get(documentId)).toMatchObject({ version: 2, chunks: [{ content: 'zweite' }] });
    await stores.documents.remove(documentId, callerOf('erika', 'trainer'));
    await settled(stores);
    expect(titles(stores)).toEqual(['b']);
    expect(await source.query('SELECT FROM documents_replica WHERE document_id = $1', [documentId])).toEqual([]);
  });

  it('are asked for no document by what is no id', async () => {
    const stores = await open();
    for (const id of ['', 'x', '00000000'])
      expect(await stores.database.document(id, callerOf('erika', 'trainer'))).toBeNull();
  });

  it('let only those find a document by meaning who may read it now', async () => {
    const stores = await open();
    const { documentId } = await stores.publish('a', 'erste');
    await settled(stores);
    const found = async (readers: string[]): Promise<number> => {
      const { space, embedder } = await stores.spaces.searched();
      const [embedding = []] = await embedder.embed(['erste'], 'query');
      return (await stores.vectors.nearest(space, { embedding, limit: 5, readers, documentIds: null })).length;
    };
    expect([await found(['*']), await found(['role:trainer'])]).toEqual([1, 0]);
    await stores.documents.change(documentId, { readers: ['role:trainer'] }, callerOf('erika', 'trainer'));
    await settled(stores);
    expect([await found(['*']), await found(['role:trainer'])]).toEqual([0, 1]);
  });

  it('that are down delay and lose nothing, and say why; the others go on', async () => {
    const stores = await open();
    stores.graph.isDown = true;
    const first = await stores.publish('a', 'erste');
    const gone = await stores.publish('weg');
    await eventually('it is known why', async () => (await stores.waiting(first.documentId))[GRAPH] !== null, SOON_MS);
    await eventually('the others have it', async () => !(VECTORS in (await stores.waiting(gone.documentId))), SOON_MS);
    const reason = 'fake-graph is unavailable: connection refused';
    await eventually('only the graph lacks them', async () => (await stores.count()) === 2, SOON_MS);
    expect(await stores.waiting(first.documentId)).toEqual({ [GRAPH]: reason });
    expect(await stores.lags.lags()).toContainEqual({ store: GRAPH, pending: 2, reason });
    await stores.publish('a', 'zweite');
    await stores.documents.remove(gone.documentId, callerOf('erika', 'trainer'));
    // Another process: what it must do is in the database alone.
    const again = await restarted(stores, { graph: stores.graph });
    stores.graph.isDown = false;
    await settled(again);
    expect([...again.graph.held.values()]).toMatchObject([{ title: 'a', version: 2 }]);
    expect(await again.waiting(first.documentId)).toEqual({});
  });

  it('that refuse one document take the others, and take it once they can', async () => {
    const stores = await open();
    stores.graph.refused.add('schlimm');
    const { documentId } = await stores.publish('schlimm');
    for (const name of ['b', 'c', 'd']) await stores.publish(name);
    await eventually('the others are there', () => titles(stores).length === 3, SOON_MS);
    await eventually('only one waits', async () => (await stores.count()) === 1, SOON_MS);
    expect(await stores.waiting(documentId)).toEqual({ [GRAPH]: expect.stringContaining('breaks a rule') });
    expect(stores.log.lines).toContainEqual(expect.objectContaining({ message: 'a store does not take a document' }));
    stores.graph.refused.clear();
    await settled(stores);
    expect(titles(stores)).toEqual(['b', 'c', 'd', 'schlimm']);
  });

  it('that drifted apart are found, and mended', async () => {
    const stores = await open();
    const [missing, differing] = [await stores.publish('fehlt'), await stores.publish('anders')];
    await stores.publish('gut');
    await settled(stores);
    const { held } = stores.graph;
    const other = held.get(differing.documentId);
    if (!other) throw new Error('the graph does not hold what it was given');
    held.delete(missing.documentId);
    held.set(differing.documentId, { ...other, version: 7 });
    const orphan = '00000000-0000-4000-8000-000000000000';
    held.set(orphan, { ...other, documentId: orphan, title: 'verwaist' });
    await source.query('DELETE FROM store_documents');
    const looked = await stores.reconciliation.run('look');
    expect(looked.find(({ store }) => store === GRAPH)).toEqual({
      store: GRAPH,
      compared: 3,
      missing: [missing.documentId],
      differing: [differing.documentId],
      orphaned: [orphan],
      error: null,
    });
    expect(looked.find(({ store }) => store === 'documents:jsonb')?.missing).toHaveLength(3);
    expect(await stores.count()).toBe(0);
    await stores.reconciliation.run('mend');
    await settled(stores);
    expect(titles(stores)).toEqual(['anders', 'fehlt', 'gut']);
    expect(held.get(differing.documentId)?.version).toBe(1);
    const after = await stores.reconciliation.run('look');
    for (const drift of after) expect(drift).toMatchObject({ missing: [], differing: [], orphaned: [], error: null });
    stores.graph.isDown = true;
    const unreachable = (await stores.reconciliation.run('mend')).find(({ store }) => store === GRAPH);
    expect(unreachable?.error).toContain('connection refused');
  });

  it('that are exchanged for others are filled', async () => {
    const stores = await open();
    for (const name of ['a', 'b']) await stores.publish(name);
    await settled(stores);
    const graph = new FakeGraph('other-graph');
    graph.isDown = true;
    const other = await restarted(stores, { graph });
    // Before its first round already: nobody is told that nothing waits.
    expect(await other.lags.lags()).toContainEqual(expect.objectContaining({ store: 'graph:other-graph', pending: 2 }));
    graph.isDown = false;
    await settled(other);
    expect(titles(other)).toEqual(['a', 'b']);
    expect((await other.lags.lags()).map(({ store }) => store)).toEqual([
      VECTORS,
      'graph:other-graph',
      'documents:jsonb',
    ]);
  });

  describe('with another embedding model', () => {
    const spacesOf = (): Promise<{ model: string; state: string }[]> =>
      source.query('SELECT model, state FROM search_space ORDER BY model');

    it('embed everything again by themselves, while the old vectors answer, and then drop those', async () => {
      const stores = await open();
      const made = [await stores.publish('a'), await stores.publish('b')];
      await settled(stores);
      await eventually('the space serves', async () => (await spacesOf()).length === 1, SOON_MS);
      let letGo = (): void => undefined;
      const old = (await stores.spaces.searched()).space;
      opened.splice(opened.indexOf(stores), 1);
      await stores.stop();
      const next = new DocumentStores(source, { model: 'new' });
      opened.push(next);
      next.embedder.gate = new Promise((resolve) => (letGo = resolve));
      await next.start();
      await eventually('the new space is built', async () => (await spacesOf()).length === 2, SOON_MS);
      expect(await spacesOf()).toEqual([
        { model: 'new', state: 'building' },
        { model: 'old', state: 'serving' },
      ]);
      const searched = await next.spaces.searched();
      expect(searched.space).toEqual(old);
      expect(await searched.embedder.embed(['?'], 'query')).toEqual([[1, 0, 0]]);
      const query = { embedding: [1, 0, 0], limit: 10, readers: null, documentIds: null };
      expect(await next.vectors.nearest(searched.space, query)).toHaveLength(2);
      letGo();
      await eventually('only the new space is left', async () => (await spacesOf()).length === 1, SOON_MS);
      expect(await spacesOf()).toEqual([{ model: 'new', state: 'serving' }]);
      expect(next.embedder.embedded).toHaveLength(made.length);
      const now = await next.spaces.searched();
      expect(now.embedder).toBe(next.embedder);
      expect(await next.vectors.nearest(now.space, { ...query, embedding: [0, 1, 0] })).toMatchObject([
        { similarity: expect.closeTo(1, 2) },
        { similarity: expect.closeTo(1, 2) },
      ]);
      await eventually(
        'the old vectors are gone',
        async () => (await source.query('SELECT space FROM store_vector_spaces')).length === 1,
        SOON_MS,
      );
    });

    it('that is missing go on with the old one', async () => {
      const stores = await open();
      await stores.publish('a');
      await settled(stores);
      opened.splice(opened.indexOf(stores), 1);
      await stores.stop();
      const next = new DocumentStores(source, { model: 'new' });
      opened.push(next);
      next.embedder.isMissing = true;
      await next.start();
      const { documentId } = await next.publish('b');
      await eventually('it is known why', async () => (await next.waiting(documentId))[VECTORS] !== null, SOON_MS);
      expect(await next.waiting(documentId)).toEqual({ [VECTORS]: 'the embedding model "new" is missing' });
      expect(await (await next.spaces.searched()).embedder.embed(['?'], 'query')).toEqual([[1, 0, 0]]);
      expect(next.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
      next.embedder.isMissing = false;
      await eventually('only the new space is left', async () => (await spacesOf()).at(-1)?.model === 'new', SOON_MS);
      await settled(next);
    });

    it('take over also after a restart between the last vector and the end', async () => {
      const stores = await open();
      await stores.publish('a');
      await settled(stores);
      const next = await restarted(stores, { model: 'new' });
      await eventually('only the new space is left', async () => (await spacesOf()).at(-1)?.model === 'new', SOON_MS);
      await settled(next);
      // As if it had been killed right before: the new space is whole and has not taken over.
      await source.query(`UPDATE search_space SET state = 'building'`);
      await source.query(
        `INSERT INTO search_space (space_id, model, dimension, opened_with, state) VALUES ('old_3_x', 'old', 3, $1, 'serving')`,
        [JSON.stringify({ model: 'old', prefixes: {} })],
      );
      await restarted(next, { model: 'new' });
      await eventually('it serves', async () => (await spacesOf()).every(({ state }) => state === 'serving'), SOON_MS);
      expect(await spacesOf()).toEqual([{ model: 'new', state: 'serving' }]);
    });

    const spacesInStore = async (): Promise<number> =>
      (await source.query<unknown[]>('SELECT FROM store_vector_spaces')).length;
    const retired = async (): Promise<number> =>
      (await source.query<unknown[]>('SELECT FROM search_retired_space')).length;

    it('have the old vectors removed as soon as their store can, also by the next start', async () => {
      const stores = await open();
      await stores.publish('a');
      await settled(stores);
      const vectors = new KeepingVectors(source);
      const next = await restarted(stores, { model: 'new', vectors });
      await eventually('the new space serves', async () => (await spacesOf()).at(-1)?.model === 'new', SOON_MS);
      const told = () => next.log.lines.find(({ message }) => message.includes('are still there'));
      await eventually('it is known why', told, SOON_MS);
      expect([await spacesInStore(), await retired()]).toEqual([2, 1]);
      const last = await restarted(next, { model: 'new' });
      await eventually('the old vectors are gone', async () => (await spacesInStore()) === 1, SOON_MS);
      await eventually('nothing is left to remove', async () => (await retired()) === 0, SOON_MS);
      expect(last.log.lines).toContainEqual(expect.objectContaining({ message: expect.stringContaining('removed') }));
    });

    it('that is the old one again embed all again, as what its store has kept is of then', async () => {
      const stores = await open();
      const { documentId } = await stores.publish('a');
      await settled(stores);
      const next = await restarted(stores, { model: 'new', vectors: new KeepingVectors(source) });
      await eventually('the old space waits for its end', async () => (await retired()) === 1, SOON_MS);
      await next.documents.remove(documentId, callerOf('erika', 'trainer'));
      await next.publish('b');
      await settled(next);
      const back = await restarted(next, { model: 'old' });
      const serving = async () => JSON.stringify(await spacesOf()) === '[{"model":"old","state":"serving"}]';
      await eventually('only the old model is left', serving, SOON_MS);
      await settled(back);
      await eventually('the others are gone', async () => (await spacesInStore()) === 1, SOON_MS);
      const { space } = await back.spaces.searched();
      const query = { embedding: [1, 0, 0], limit: 10, readers: null, documentIds: null };
      expect(await back.vectors.nearest(space, query)).toHaveLength(1);
      await eventually('nothing is left to remove', async () => (await retired()) === 0, SOON_MS);
    });
  });
});
