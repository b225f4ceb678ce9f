import { App } from '../fixtures/app.js';
import { embeddingModel } from '../fixtures/embedding-model.js';
import { Library, lawOf } from '../fixtures/library.js';
import { freePorts } from '../fixtures/processes.js';
import { eventually } from '../fixtures/waiting.js';
import { ChromaServer } from './chroma-server.js';
import { Neo4jServer } from './neo4j-server.js';

import.meta.jest.setTimeout(900_000);

interface Hit {
  content: string;
  source: string;
  metadata: { provision: string | null };
  explain: { signals: Record<string, unknown>; graph_path: unknown[] };
}
interface Reply {
  results: Hit[];
  signals: Record<string, string>;
}
interface DocumentList {
  documents: { document_id: string; pending: { store: string; reason: string | null }[] }[];
}

/** Long enough for a model to load, and a server to start, on a busy machine. */
const SETTLED_MS = 180_000;

/** The whole way with a real embedding model, a real ChromaDB that comes late, and a real Neo4j. */
describe('documents in stores outside', () => {
  let neo4j: Neo4jServer;
  let chroma: ChromaServer | undefined;
  let chromaPort: number;
  let app: App;
  let library: Library;

  beforeAll(async () => {
    [neo4j, [chromaPort = 0]] = await Promise.all([Neo4jServer.start(), freePorts(1)]);
    app = await App.start({
      trainer: 'real',
      env: {
        CLARA_EMBEDDING_MODEL: await embeddingModel(),
        UDS3_CHROMA_HOST: '127.0.0.1',
        UDS3_CHROMA_PORT: String(chromaPort),
        UDS3_NEO4J_HOST: neo4j.connection.host,
        UDS3_NEO4J_PORT: String(neo4j.connection.port),
        UDS3_NEO4J_USER: neo4j.connection.user,
        UDS3_NEO4J_PASSWORD: neo4j.connection.password,
      },
    });
    library = new Library(app);
  });
  afterAll(async () => {
    await app?.dispose();
    await chroma?.dispose();
    await neo4j?.dispose();
  });

  const documents = async (): Promise<DocumentList['documents']> =>
    (await app.call<DocumentList>('GET', '/api/documents', { port: app.ports.DATASET })).body.documents;

  const search = async (leg: string, query_text: string): Promise<Reply> => {
    const path = `/api/datasets/search/${leg}`;
    const { status, body } = await app.call<Reply>('POST', path, { port: app.ports.DATASET, body: { query_text } });
    expect(status).toBe(200);
    return body;
  };

  it('are completed while ChromaDB is down, and wait for it', async () => {
    const link = '## § 99 Verweise\n\n(1) Es gilt § 2 GewAnlG.\n';
    await library.upload({
      'gewanlg.md': lawOf('Gewerbeanlagengesetz', 'GewAnlG'),
      'verweise.md': `# Hinweise\n\n${link}`,
    });
    const waiting = (await documents()).map(({ pending }) => pending.map(({ store }) => store));
    expect(waiting).toEqual([['vectors:chroma'], ['vectors:chroma']]);
    const { results, signals } = await search('vector', 'permit for a plant');
    expect(results).toEqual([]);
    expect(signals['vector']).toMatch(/^unavailable: /);
    const found = await search('keyword', 'Genehmigung einer Anlage');
    expect(found.results[0]?.content).toContain('Genehmigung einer Anlage');
    const { body: ready } = await app.call<{ status: string }>('GET', '/readyz');
    expect(ready.status).toBe('degraded');
  });

  it('reach ChromaDB when it comes up, and are found by meaning', async () => {
    chroma = await ChromaServer.start(chromaPort);
    await eventually(
      'nothing waits',
      async () => (await documents()).every(({ pending }) => pending.length === 0),
      SETTLED_MS,
    );
    const { results, signals } = await search('vector', 'Genehmigung einer Anlage durch die Bauaufsicht');
    expect(signals['vector']).toBe('ok');
    expect(results.length).toBeGreaterThan(3);
    expect(results[0]?.source).toBe('vector');
  });

  it('are neighbours in Neo4j by what they refer to', async () => {
    const { results, signals } = await search('graph', '§ 2 GewAnlG');
    expect(signals['graph']).toBe('ok');
    const paths = results.map(({ explain }) => explain.graph_path).filter((path) => path.length > 0);
    expect(JSON.stringify(paths)).toContain('gewanlg:2');
    expect(results[0]?.metadata.provision).toBe('gewanlg:2');
  });

  it('leave every store when they are removed', async () => {
    for (const { document_id } of await documents())
      await app.call('DELETE', `/api/documents/${document_id}`, { port: app.ports.DATASET });
    await eventually('Neo4j is empty', async () => (await neo4j.count()) === 0, SETTLED_MS);
    const { results } = await search('hybrid', 'Genehmigung einer Anlage');
    expect(results).toEqual([]);
  });
});
