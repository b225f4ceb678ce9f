import { readSettings, SettingsError } from './settings.js';

const embedder = (env: Record<string, string> = {}) =>
  readSettings({ CLARA_SECURITY_MODE: 'debug', ...env }, '/srv/clara').embedder;

function problems(env: Record<string, string>): string[] {
  try {
    embedder(env);
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems;
  }
}

const HTTP = { CLARA_EMBEDDER: 'http', CLARA_EMBEDDING_URL: 'http://127.0.0.1:8000/v1' };

describe('the embedder', () => {
  it('is a worker with a multilingual model that asks no hub, where nothing is set', () => {
    expect(embedder()).toMatchObject({
      kind: 'worker',
      model: 'multilingual-e5-small',
      prefixes: { query: 'query: ', passage: 'passage: ' },
      download: false,
      device: 'cpu',
      dimension: undefined,
      idleSeconds: 600,
    });
    expect(problems({})).toEqual([]);
  });

  it('takes a few threads, or what is said', () => {
    const of = (env: Record<string, string>) => {
      const found = embedder(env);
      return found.kind === 'worker' ? found.threads : 0;
    };
    expect(of({})).toBeGreaterThan(0);
    expect(of({})).toBeLessThanOrEqual(4);
    expect(of({ CLARA_EMBEDDING_THREADS: '7' })).toBe(7);
    expect(problems({ CLARA_EMBEDDING_THREADS: '0' })).toHaveLength(1);
  });

  it('or a server', () => {
    expect(embedder({ ...HTTP, CLARA_EMBEDDING_API_KEY: 'sk-1', CLARA_EMBEDDING_DIMENSION: '384' })).toMatchObject({
      kind: 'http',
      url: 'http://127.0.0.1:8000/v1',
      apiKey: 'sk-1',
      dimension: 384,
      maxTokens: undefined,
    });
  });

  it('a server needs its address, and what is for a server needs one', () => {
    expect(problems({ CLARA_EMBEDDER: 'http' })).toEqual([
      expect.stringMatching(/^CLARA_EMBEDDING_URL: is missing; .*http:\/\/127\.0\.0\.1:8000\/v1$/),
    ]);
    expect(problems({ CLARA_EMBEDDING_URL: 'http://e', CLARA_EMBEDDING_API_KEY: 'hush-hush' })).toEqual([
      'CLARA_EMBEDDING_URL: is of no use without CLARA_EMBEDDER=http',
      'CLARA_EMBEDDING_API_KEY: is of no use without CLARA_EMBEDDER=http',
    ]);
    expect(problems({ ...HTTP, CLARA_EMBEDDING_DOWNLOAD: 'true' })).toEqual([
      expect.stringMatching(/^CLARA_EMBEDDING_DOWNLOAD: is for CLARA_EMBEDDER=worker/),
    ]);
  });

  it.each([['ftp://host/v1'], ['host:8000'], ['http://erika:geheim123@host/v1'], ['http://host/v1?key=x']])(
    'the address %s is refused, and its password not shown',
    (url) => {
      const found = problems({ CLARA_EMBEDDER: 'http', CLARA_EMBEDDING_URL: url });
      expect(found).toContainEqual(expect.stringMatching(/^CLARA_EMBEDDING_URL: .* is not an http or https address/));
      expect(found.join()).not.toContain('geheim123');
    },
  );

  it('knows nothing by the name of anything else', () => {
    expect(problems({ CLARA_EMBEDDER: 'Worker' })).toEqual([expect.stringMatching(/^CLARA_EMBEDDER: /)]);
    expect(problems({ CLARA_EMBEDDING_MODEL: '  ' })).toEqual([expect.stringMatching(/^CLARA_EMBEDDING_MODEL: /)]);
    expect(problems({ CLARA_EMBEDDING_DIMENSION: '0' })).toHaveLength(1);
    expect(problems({ CLARA_EMBEDDER_IDLE_SECONDS: '-1' })).toHaveLength(1);
  });
});

describe('prefixes', () => {
  const of = (model: string, env: Record<string, string> = {}) =>
    embedder({ CLARA_EMBEDDING_MODEL: model, ...env }).prefixes;

  it.each([
    ['intfloat/multilingual-e5-base', 'query: ', 'passage: '],
    ['/srv/models/e5-small-v2/', 'query: ', 'passage: '],
    ['BAAI/bge-m3', '', ''],
    ['BAAI/bge-small-en-v1.5', 'Represent this sentence for searching relevant passages: ', ''],
    ['nomic-ai/nomic-embed-text-v1.5', 'search_query: ', 'search_document: '],
  ])('of %s are known', (model, query, passage) => {
    expect(of(model)).toEqual({ query, passage });
  });

  it('of an instructed model begin with the task', () => {
    expect(of('intfloat/multilingual-e5-large-instruct')).toEqual({
      query: expect.stringMatching(/^Instruct: .*\nQuery: $/),
      passage: '',
    });
  });

  it('of an unknown model are left to its own configuration', () => {
    expect(of('all-MiniLM-L6-v2')).toEqual({ query: undefined, passage: undefined });
  });

  it('are what is set; none: nothing', () => {
    const env = { CLARA_EMBEDDING_QUERY_PREFIX: 'Frage: ', CLARA_EMBEDDING_PASSAGE_PREFIX: 'none' };
    expect(of('multilingual-e5-small', env)).toEqual({ query: 'Frage: ', passage: '' });
  });
});
