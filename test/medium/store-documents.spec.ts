import { JsonbDocuments } from '../../src/adapters/documents/jsonb-documents.js';
import type { DocumentStore } from '../../src/modules/documents/document-store.port.js';
import { documentStoreContract } from '../fixtures/stores/document-contract.js';
import { postgresPlace } from '../fixtures/stores/postgres-place.js';
import type { Place } from '../fixtures/stores/replica-contract.js';
import { TestDatabases } from '../fixtures/test-database.js';

import.meta.jest.setTimeout(180_000);

describe('documents as JSONB', () => {
  let databases: TestDatabases;
  let place: Place<DocumentStore>;

  beforeAll(async () => {
    databases = await TestDatabases.open();
    place = await postgresPlace(databases, (source, timeoutMs) => new JsonbDocuments(source, timeoutMs));
  });
  afterAll(() => databases.close());

  documentStoreContract(() => place);
});
