import type { DataSource } from 'typeorm';
import { readSettings } from '../config/settings.js';
import { openStores } from './stores.js';

const login = { USER: 'clara', PASSWORD: 'geheim-genug' };

const opened = async (env: Record<string, string>): Promise<string[]> => {
  const settings = readSettings({ CLARA_SECURITY_MODE: 'debug', ...env }, '/tmp');
  // No adapter asks its source for anything before it is called.
  const stores = openStores(settings, {} as DataSource);
  const names = [stores.vectors.name, stores.graph.name, stores.documents.name];
  await Promise.all(Object.values(stores).map((store) => store.close()));
  return names;
};

describe('the stores that the settings choose', () => {
  it('are all in PostgreSQL unless told otherwise', async () => {
    expect(await opened({})).toEqual(['pgvector', 'postgres-graph', 'jsonb']);
  });

  it('are switched each on its own, and wait for no server', async () => {
    expect(await opened({ UDS3_CHROMA_HOST: 'away.invalid' })).toEqual(['chroma', 'postgres-graph', 'jsonb']);
    expect(await opened({ UDS3_NEO4J_HOST: '::1' })).toEqual(['pgvector', 'neo4j', 'jsonb']);
    const couch = {
      UDS3_COUCHDB_HOST: '127.0.0.1',
      UDS3_COUCHDB_USER: login.USER,
      UDS3_COUCHDB_PASSWORD: login.PASSWORD,
    };
    expect(await opened(couch)).toEqual(['pgvector', 'postgres-graph', 'couchdb']);
  });
});
