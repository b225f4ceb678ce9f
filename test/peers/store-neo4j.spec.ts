import { Neo4jGraph } from '../../src/adapters/graph/neo4j-graph.js';
import { graphStoreContract } from '../fixtures/stores/graph-contract.js';
import { documentOf } from '../fixtures/stores/stored-documents.js';
import { Neo4jServer } from './neo4j-server.js';
import { OutsidePlace } from './outside-place.js';

import.meta.jest.setTimeout(900_000);

/** The first queries of a new server are compiled first. */
const SLOW_MS = 60_000;

describe('the graph in Neo4j', () => {
  let server: Neo4jServer;
  let place: OutsidePlace<Neo4jGraph>;

  beforeAll(async () => {
    server = await Neo4jServer.start();
    const { connection } = server;
    const make = (at: { host: string; port: number }, timeoutMs = SLOW_MS) =>
      new Neo4jGraph({ ...connection, ...at }, timeoutMs);
    place = await OutsidePlace.open({ ...connection, secrets: [connection.password] }, make);
  });
  afterAll(async () => {
    await place?.close();
    await server?.dispose();
  });

  graphStoreContract(() => place);

  it('refuses a wrong login without saying it', async () => {
    const graph = new Neo4jGraph({ ...server.connection, password: 'another-secret' }, SLOW_MS);
    const error = await graph.check().catch((caught: unknown) => String(caught));
    expect(error).toMatch(/refuses the login; are UDS3_NEO4J_USER/);
    expect(error).not.toContain('another-secret');
    await graph.close();
  });

  it('leaves nothing of a document that is removed', async () => {
    const graph = place.store;
    const document = documentOf('weg', {
      tags: ['t'],
      terms: ['Text'],
      chunks: [{ path: ['A'], provision: 'w:1', references: ['w:2'] }],
    });
    await graph.replace(document);
    await graph.remove(document.documentId);
    expect(await server.count()).toBe(0);
  });
});
