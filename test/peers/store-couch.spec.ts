import { CouchDocuments } from '../../src/adapters/documents/couch-documents.js';
import { documentStoreContract } from '../fixtures/stores/document-contract.js';
import { CouchStandIn } from './couch-stand-in.js';
import { OutsidePlace } from './outside-place.js';

import.meta.jest.setTimeout(900_000);

describe('documents over the protocol of CouchDB', () => {
  let server: CouchStandIn;
  let place: OutsidePlace<CouchDocuments>;

  beforeAll(async () => {
    server = await CouchStandIn.start();
    const { connection } = server;
    const make = (at: { host: string; port: number }, timeoutMs?: number) =>
      new CouchDocuments({ ...connection, ...at }, timeoutMs);
    place = await OutsidePlace.open({ ...connection, secrets: [connection.password] }, make);
  });
  afterAll(async () => {
    await place?.close();
    await server?.dispose();
  });

  documentStoreContract(() => place);

  it('refuses a wrong login without saying it', async () => {
    const store = new CouchDocuments({ ...server.connection, password: 'another-secret' });
    const error = await store.check().catch((caught: unknown) => String(caught));
    expect(error).toMatch(/refuses the login; are UDS3_COUCHDB_USER/);
    expect(error).not.toContain('another-secret');
  });
});
