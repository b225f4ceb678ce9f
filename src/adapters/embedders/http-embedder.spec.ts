import { EmbeddingServerFixture, lettersOf } from '../../../test/fixtures/embedding-server.js';
import { send } from '../../../test/fixtures/http-fixture.js';
import { Clock } from '../../kernel/clock.js';
import { EmbedderUnavailable } from '../../modules/documents/embedder.port.js';
import { HttpEmbedder, type HttpEmbedderOptions } from './http-embedder.js';
import { unit } from './vectors.js';

const KEY = 'sk-very-secret-key-0815';

/** Waits take no time, and are noted. */
class QuickClock extends Clock {
  time = 1_000_000;
  readonly waits: number[] = [];

  now(): number {
    return this.time;
  }

  async sleep(ms: number): Promise<void> {
    this.waits.push(ms);
    this.time += ms;
  }
}

const near = (a: number[] = [], b: number[] = []): number =>
  a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);

describe('the embedder at a server', () => {
  let server: EmbeddingServerFixture;
  let clock: QuickClock;
  let embedder: HttpEmbedder;

  beforeEach(async () => {
    server = await EmbeddingServerFixture.open();
    clock = new QuickClock();
    embedder = open();
  });
  afterEach(async () => {
    await embedder.close();
    await server.close();
  });

  const open = (change: Partial<HttpEmbedderOptions> = {}): HttpEmbedder =>
    new HttpEmbedder(
      {
        url: server.url,
        apiKey: KEY,
        model: 'letters',
        prefixes: { query: 'query: ', passage: undefined },
        dimension: undefined,
        maxTokens: undefined,
        ...change,
      },
      clock,
    );
  const failure = async (work: Promise<unknown>): Promise<Error> =>
    work.then(
      () => new Error('it did not fail'),
      (error: Error) => error,
    );

  it('says what it is, after one try', async () => {
    expect(await embedder.model()).toEqual({ name: 'letters', dimension: 3, maxTokens: 512 });
    await embedder.model();
    expect(server.inputs).toEqual([['Probe']]);
  });

  it('believes a server about the longest input, unless it is set', async () => {
    server.twist = ({ path }, response) => {
      if (path !== '/v1/models') return false;
      send(response, 200, {
        data: [
          { id: 'other', max_model_len: 9 },
          { id: 'letters', max_model_len: 8192 },
        ],
      });
      return true;
    };
    expect(await embedder.model()).toMatchObject({ maxTokens: 8192 });
    expect(await open({ maxTokens: 300 }).model()).toMatchObject({ maxTokens: 300 });
  });

  it('gives unit vectors in order, with the prefix and the key', async () => {
    const [first, second] = await embedder.embed(['aab', 'c'], 'query');
    expect(near(first, unit(lettersOf('query: aab')))).toBeCloseTo(1);
    expect(near(second, unit(lettersOf('query: c')))).toBeCloseTo(1);
    expect(server.inputs.at(-1)).toEqual(['query: aab', 'query: c']);
    expect(new Set(server.calls.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${KEY}`]));
  });

  it('takes vectors as base64 too, and addresses with and without /v1/embeddings', async () => {
    server.twist = ({ path, body }, response) => {
      if (path !== '/v1/embeddings') return false;
      const embedding = Buffer.from(new Float32Array([0, 3, 4]).buffer).toString('base64');
      send(response, 200, { data: (body.input ?? []).map((_, index) => ({ index, embedding })) });
      return true;
    };
    const base = server.url.replace('/v1', '');
    for (const url of [base, `${base}/v1`, `${base}/v1/embeddings`]) {
      const [[, y = 0, z = 0] = []] = await open({ url }).embed(['a'], 'passage');
      expect([y, z]).toEqual([expect.closeTo(0.6), expect.closeTo(0.8)]);
    }
  });

  it('sends many texts in several requests', async () => {
    const texts = Array.from({ length: 150 }, (_, index) => 'a'.repeat(index + 1));
    const vectors = await embedder.embed(texts, 'passage');
    expect(vectors).toHaveLength(150);
    expect(near(vectors[149], unit(lettersOf('a'.repeat(150))))).toBeCloseTo(1);
    expect(server.inputs.map((inputs) => inputs.length)).toEqual([1, 64, 64, 22]);
  });

  it('reads a text to its end, in windows that count by their length', async () => {
    embedder = open({ maxTokens: 40 });
    const text = `${'aaa '.repeat(300)}${'bbb '.repeat(300)}`;
    const [vector] = await embedder.embed([text], 'passage');
    expect(server.inputs.slice(1).flat().join('')).toBe(text);
    expect(near(vector, unit([1, 1, 0]))).toBeGreaterThan(0.999);
  });

  it('halves what the server still finds too long', async () => {
    server.twist = ({ path, body }, response) => {
      if (path !== '/v1/embeddings' || (body.input ?? []).every((input) => input.length <= 100)) return false;
      send(response, 400, { error: { message: 'maximum context length is 20 tokens' } });
      return true;
    };
    const text = `${'aaa '.repeat(50)}${'ccc '.repeat(50)}`;
    const [short, long] = await embedder.embed(['b', text], 'passage');
    expect(near(short, unit(lettersOf('b')))).toBeCloseTo(1);
    expect(near(long, unit([1, 0, 1]))).toBeGreaterThan(0.99);
  });

  describe('in trouble', () => {
    it('waits as long as it is asked to, and then succeeds', async () => {
      await embedder.model();
      let refusals = 2;
      server.twist = (_, response) => {
        if ((refusals -= 1) < 0) return false;
        send(response, 429, { error: 'slow down' }, { 'retry-after': '7' });
        return true;
      };
      expect(await embedder.embed(['a'], 'query')).toHaveLength(1);
      expect(clock.waits).toEqual([7000, 7000]);
    });

    it('tries again after an error of the server, with growing waits, and then says why not', async () => {
      server.twist = (_, response) => {
        send(response, 503, { error: `no GPU; you sent Bearer ${KEY} and ${KEY}` });
        return true;
      };
      const error = await failure(embedder.embed(['a'], 'query'));
      expect(error).toBeInstanceOf(EmbedderUnavailable);
      expect(error.message).toMatch(/^the embedding server 127\.0\.0\.1:\d+ answers 503: .*no GPU/);
      expect(error.message).not.toContain(KEY);
      expect(clock.waits).toEqual([500, 1000, 2000, 4000, 8000]);
    });

    it('then asks nothing for a while, and recovers', async () => {
      server.twist = (_, response) => {
        send(response, 500, {});
        return true;
      };
      await failure(embedder.model());
      const asked = server.calls.length;
      expect((await failure(embedder.embed(['a'], 'query'))).message).toMatch(/answers 500/);
      expect(server.calls).toHaveLength(asked);
      server.twist = () => false;
      clock.time += 6000;
      expect(await embedder.embed(['a'], 'query')).toHaveLength(1);
    });

    it('does not wait longer than it has time', async () => {
      server.twist = (_, response) => {
        send(response, 429, {}, { 'retry-after': '86400' });
        return true;
      };
      expect(await failure(embedder.model())).toBeInstanceOf(EmbedderUnavailable);
      expect(clock.waits).toEqual([]);
    });

    it.each([
      [401, /answers 401: .*; is CLARA_EMBEDDING_API_KEY right\?$/],
      [404, /answers 404: .*; are CLARA_EMBEDDING_URL and CLARA_EMBEDDING_MODEL right\?$/],
    ])('%s is not tried again, and says what to look at', async (status, message) => {
      server.twist = (_, response) => {
        send(response, status, { error: `for ${KEY}` });
        return true;
      };
      const error = await failure(embedder.model());
      expect(error).toBeInstanceOf(EmbedderUnavailable);
      expect(error.message).toMatch(message);
      expect(error.message).not.toContain(KEY);
      expect(server.calls).toHaveLength(1);
    });

    it('a text that is refused by itself stops no other', async () => {
      server.twist = ({ body }, response) => {
        if (!body.input?.includes('bad')) return false;
        send(response, 400, { error: 'I do not like it' });
        return true;
      };
      expect((await failure(embedder.embed(['bad'], 'passage'))).message).toMatch(/answers 400: .*do not like/);
      expect(await embedder.embed(['good'], 'passage')).toHaveLength(1);
    });

    it('a server that hangs is left after the deadline', async () => {
      embedder = open({ timeoutMs: 60, deadlineMs: 100 });
      server.twist = () => true;
      expect((await failure(embedder.model())).message).toMatch(/does not answer in time$/);
    });

    it('the caller can give up sooner', async () => {
      await embedder.model();
      server.twist = () => true;
      const error = await failure(embedder.embed(['a'], 'query', AbortSignal.timeout(50)));
      expect(error.name).toBe('TimeoutError');
      server.twist = () => false;
      expect(await embedder.embed(['a'], 'query')).toHaveLength(1);
    });

    it('a server that is not there is unavailable', async () => {
      await server.close();
      expect((await failure(embedder.model())).message).toMatch(/cannot be reached: ECONNREFUSED/);
      server = await EmbeddingServerFixture.open();
    });

    it('follows no redirect', async () => {
      server.twist = (_, response) => {
        response.writeHead(307, { location: 'http://127.0.0.1:9/' }).end();
        return true;
      };
      expect(await failure(embedder.model())).toBeInstanceOf(EmbedderUnavailable);
    });

    it.each([
      ['no JSON', 'no JSON at all', /not JSON/],
      ['no data', '{}', /without "data"/],
      ['too few vectors', '{"data": []}', /0 vectors for 1 texts/],
      ['a strange index', '{"data": [{"index": 5, "embedding": [1]}]}', /"index"/],
      ['no numbers', '{"data": [{"index": 0, "embedding": ["1"]}]}', /no vector of numbers/],
      ['only zeros', '{"data": [{"index": 0, "embedding": [0, 0]}]}', /without a direction/],
    ])('an answer with %s is none', async (_, body, message) => {
      server.twist = (__, response) => {
        response.writeHead(200).end(body);
        return true;
      };
      const error = await failure(embedder.model());
      expect(error).toBeInstanceOf(EmbedderUnavailable);
      expect(error.message).toMatch(message);
    });

    it('vectors of other dimensions than those that are set are refused', async () => {
      embedder = open({ dimension: 384 });
      expect((await failure(embedder.embed(['a'], 'query'))).message).toMatch(/3 numbers a vector instead of 384/);
    });

    it('as are those of a server that has changed its model', async () => {
      await embedder.model();
      server.twist = ({ path }, response) => {
        if (path !== '/v1/embeddings') return false;
        send(response, 200, { data: [{ index: 0, embedding: [1, 0, 0, 0] }] });
        return true;
      };
      expect((await failure(embedder.embed(['a'], 'query'))).message).toMatch(/4 numbers a vector instead of 3/);
    });

    it('a closed one answers nobody', async () => {
      await embedder.model();
      server.twist = () => true;
      const waiting = failure(embedder.embed(['a'], 'query'));
      await embedder.close();
      expect(await waiting).toBeInstanceOf(EmbedderUnavailable);
      expect((await failure(embedder.model())).message).toBe('the embedder is closed');
    });
  });
});
