import { readSettings, SettingsError } from './settings.js';

const read = (env: Record<string, string>) => readSettings({ CLARA_SECURITY_MODE: 'debug', ...env }, '/tmp');

const problems = (env: Record<string, string>): string[] => {
  try {
    read(env);
    return [];
  } catch (error) {
    return (error as SettingsError).problems;
  }
};

describe('the settings of the stores outside', () => {
  it('leave every store to PostgreSQL unless a host is named', () => {
    const leftovers = { UDS3_NEO4J_USER: 'neo4j', UDS3_COUCHDB_PASSWORD: 'x', UDS3_COUCHDB_DATABASE: 'Not A Name' };
    expect(read(leftovers).stores).toEqual({ chroma: undefined, neo4j: undefined, couchdb: undefined });
  });

  it('give where each store is', () => {
    const env = {
      UDS3_CHROMA_HOST: 'chroma',
      UDS3_CHROMA_TOKEN: 'token-1',
      UDS3_NEO4J_HOST: 'neo4j.example.org',
      UDS3_NEO4J_USER: 'neo4j',
      UDS3_NEO4J_PASSWORD: 'password-1',
      UDS3_COUCHDB_HOST: '::1',
      UDS3_COUCHDB_SSL: 'true',
    };
    const settings = read(env);
    expect(settings.stores).toEqual({
      chroma: {
        host: 'chroma',
        port: 8000,
        ssl: false,
        database: 'default_database',
        token: 'token-1',
        tenant: 'default_tenant',
      },
      neo4j: {
        host: 'neo4j.example.org',
        port: 7687,
        ssl: false,
        database: 'neo4j',
        user: 'neo4j',
        password: 'password-1',
      },
      couchdb: { host: '::1', port: 5984, ssl: true, database: 'clara', user: '', password: '' },
    });
    expect(settings.mask.text('token-1 and password-1')).not.toMatch(/token-1|password-1/);
  });

  it.each([
    [{ UDS3_NEO4J_HOST: 'h', UDS3_NEO4J_USER: 'u' }, /^UDS3_NEO4J_PASSWORD: is not set, but UDS3_NEO4J_USER is/],
    [{ UDS3_NEO4J_HOST: 'h', UDS3_NEO4J_PASSWORD: 'p' }, /^UDS3_NEO4J_USER: is not set, but UDS3_NEO4J_PASSWORD is/],
    [{ UDS3_COUCHDB_HOST: 'h', UDS3_COUCHDB_USER: 'u' }, /^UDS3_COUCHDB_PASSWORD: is not set/],
    [{ UDS3_COUCHDB_HOST: 'h', UDS3_COUCHDB_DATABASE: 'Größe' }, /^UDS3_COUCHDB_DATABASE: "Größe" names no/],
    [{ UDS3_CHROMA_HOST: 'http://user:secret@h:1' }, /^UDS3_CHROMA_HOST: is no host name(?!.*secret)/],
    [{ UDS3_CHROMA_HOST: 'h/path' }, /^UDS3_CHROMA_HOST: is no host name/],
  ])('refuse %j', (env, words) => {
    expect(problems(env as Record<string, string>)).toEqual([expect.stringMatching(words)]);
  });
});
