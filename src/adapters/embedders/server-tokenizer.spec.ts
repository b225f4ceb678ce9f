import { EmbeddingServerFixture } from '../../../test/fixtures/embedding-server.js';
import { send } from '../../../test/fixtures/http-fixture.js';
import { SystemClock } from '../../kernel/clock.js';
import { HttpEmbedder } from './http-embedder.js';

describe('the embedder at a server counts tokens', () => {
  let server: EmbeddingServerFixture;
  let embedder: HttpEmbedder;

  beforeEach(async () => {
    server = await EmbeddingServerFixture.open();
    embedder = new HttpEmbedder(
      {
        url: server.url,
        apiKey: undefined,
        model: 'letters',
        prefixes: { query: '', passage: '' },
        dimension: undefined,
        maxTokens: 40,
      },
      new SystemClock(),
    );
  });
  afterEach(async () => {
    await embedder.close();
    await server.close();
  });

  const answering = (answer: (texts: string[], prompt: string) => unknown) => {
    server.twist = ({ path, body }, response) => {
      if (path !== '/tokenize') return false;
      send(response, 200, answer(body.inputs ?? [], body.prompt ?? ''));
      return true;
    };
  };
  const tokens = (text: string) => text.split('').map((id) => ({ id }));

  it('by estimate where the server cannot', async () => {
    const [none, few = 0] = await embedder.countTokens(['', 'zwei Wörter']);
    expect(none).toBe(0);
    expect(few).toBeGreaterThanOrEqual(2);
    await embedder.countTokens(['a']);
    expect(server.calls.filter(({ path }) => path === '/tokenize')).toHaveLength(1);
  });

  it.each([
    ['text-embeddings-inference', (texts: string[]) => texts.map(tokens)],
    ['vLLM', (_: string[], prompt: string) => ({ count: prompt.length, max_model_len: 512, tokens: [] })],
    ['llama.cpp', (_: string[], prompt: string) => ({ tokens: tokens(prompt) })],
  ])('by %s', async (_, answer) => {
    answering(answer);
    const texts = Array.from({ length: 20 }, (__, index) => 'a'.repeat(index));
    expect(await embedder.countTokens(texts)).toEqual(texts.map(({ length }) => length));
  });

  it('and leaves a text whole that fits by its count, but no other', async () => {
    answering((texts) => texts.map(() => [1, 2, 3]));
    await embedder.embed(['Verwaltungsverfahrensgesetz '.repeat(6)], 'passage');
    expect(server.inputs.at(-1)).toHaveLength(1);
    answering((texts) => texts.map(tokens));
    await embedder.embed(['Verwaltungsverfahrensgesetz '.repeat(6)], 'passage');
    expect(server.inputs.at(-1)?.length).toBeGreaterThan(1);
  });
});
