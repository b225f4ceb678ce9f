import { ChromaStore } from '../../src/adapters/vectors/chroma-store.js';
import { vectorStoreContract } from '../fixtures/stores/vector-contract.js';
import { ChromaServer } from './chroma-server.js';
import { OutsidePlace } from './outside-place.js';

import.meta.jest.setTimeout(900_000);

describe('vectors in ChromaDB', () => {
  let server: ChromaServer;
  let place: OutsidePlace<ChromaStore>;

  beforeAll(async () => {
    server = await ChromaServer.start();
    const { token } = server.connection;
    place = await OutsidePlace.open(
      { ...server.connection, secrets: [token] },
      (at, timeoutMs) => new ChromaStore({ ...server.connection, ...at }, timeoutMs),
    );
  });
  afterAll(async () => {
    await place?.close();
    await server?.dispose();
  });

  vectorStoreContract(() => place);
});
