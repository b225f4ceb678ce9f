import { PostgresGraph } from '../../src/adapters/graph/postgres-graph.js';
import type { GraphStore } from '../../src/modules/documents/graph-store.port.js';
import { graphStoreContract } from '../fixtures/stores/graph-contract.js';
import { postgresPlace } from '../fixtures/stores/postgres-place.js';
import type { Place } from '../fixtures/stores/replica-contract.js';
import { TestDatabases } from '../fixtures/test-database.js';

import.meta.jest.setTimeout(180_000);

describe('the graph in PostgreSQL', () => {
  let databases: TestDatabases;
  let place: Place<GraphStore>;

  beforeAll(async () => {
    databases = await TestDatabases.open();
    place = await postgresPlace(databases, (source, timeoutMs) => new PostgresGraph(source, timeoutMs));
  });
  afterAll(() => databases.close());

  graphStoreContract(() => place);
});
