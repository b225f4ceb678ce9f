import { Readable } from 'node:stream';
import { rawCompletion, type RawCompletion } from './ollama-completion.js';
import { asCompletion } from './ollama-replies.js';

const completion = (content: object | string): RawCompletion | undefined =>
  rawCompletion(Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)));
const plain = { model: 'm', prompt: 'p' };
const probe = { ...plain, max_tokens: 1, temperature: 0, logprobs: 5, ignore_eos: true };
const chances = [
  { token: '{', logprob: -9, top_logprobs: [{ token: 'a', logprob: -1 }, { token: 'b', logprob: -2 }] }, // prettier-ignore
];

describe('a text completion for Ollama', () => {
  it('goes on with the text as it stands, as OpenAI would', () => {
    const options = { num_predict: 16, temperature: 1, top_p: 1, top_k: 0, repeat_penalty: 1 };
    expect(completion(plain)?.content).toEqual({ ...plain, raw: true, stream: false, options });
    const asked = { ...plain, stop: 'x', seed: 3, max_tokens: 2, stream: true, n: 1, user: 'u', suffix: null };
    expect(completion({ ...asked, stream_options: { include_usage: true } })).toMatchObject({
      isStream: true,
      wantsUsage: true,
      isProbe: false,
      content: { stream: true, options: { num_predict: 2, seed: 3, stop: ['x'] } },
    });
  });

  it('is a JSON value where only its chances are wanted', () => {
    expect(completion(probe)).toMatchObject({
      isProbe: true,
      content: { format: 'json', logprobs: true, top_logprobs: 5 },
    });
    expect(completion({ ...probe, ignore_eos: false })?.content).not.toHaveProperty('format');
  });

  it.each([
    { ...plain, echo: true },
    { ...plain, n: 2 },
    { ...plain, suffix: 's' },
    { ...plain, prompt: ['p'] },
    'null',
    '{',
    '1',
  ])('is left to Ollama as %j', (content) => expect(completion(content)).toBeUndefined());
});

const textOf = async (body: Readable): Promise<string> =>
  (await body.toArray()).map((part: Buffer | string) => part.toString()).join('');

describe('what Ollama generates', () => {
  const told = async (asked: object, pieces: readonly string[], status = 200) => {
    const raw = completion(asked);
    if (!raw) throw new Error('not one of these');
    const body = Readable.from(pieces.map((piece) => Buffer.from(piece)));
    const reply = await asCompletion(raw, { status, headers: {}, body });
    return { status: reply.status, text: await textOf(reply.body) };
  };
  const last = '{"done":true,"done_reason":"length","prompt_eval_count":3,"eval_count":2}\n';

  it('is told in one piece, with what it cost', async () => {
    const { text } = await told(plain, [
      '{"response":"ab","done":true,"done_reason":"stop","eval_count":2,"prompt_eval_count":1}',
    ]);
    expect(JSON.parse(text)).toMatchObject({
      object: 'text_completion',
      model: 'm',
      choices: [{ index: 0, text: 'ab', logprobs: null, finish_reason: 'stop' }],
      usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
    });
  });

  it('names the likeliest token to who asked for chances, not the one that JSON begins with', async () => {
    const { text } = await told(probe, [JSON.stringify({ response: '{', done: true, logprobs: chances })]);
    expect(JSON.parse(text)).toMatchObject({
      choices: [{ text: 'a', logprobs: { tokens: ['a'], token_logprobs: [-1], top_logprobs: [{ a: -1, b: -2 }] } }],
    });
  });

  it('is told in events, wherever its lines are cut', async () => {
    const asked = { ...plain, stream: true, stream_options: { include_usage: true } };
    const bytes = Buffer.from(`{"response":"ä"}\n{"response":"b"}\n${last}`);
    const body = Readable.from([bytes.subarray(0, 14), bytes.subarray(14, 20), bytes.subarray(20)]);
    const raw = completion(asked);
    if (!raw) throw new Error('not one of these');
    const reply = await asCompletion(raw, { status: 200, headers: {}, body });
    const events = (await textOf(reply.body)).trim().split('\n\n');
    expect(events.at(-1)).toBe('data: [DONE]');
    const parts = events.slice(0, -1).map((event) => JSON.parse(event.slice('data: '.length)) as { choices: object[] });
    expect(parts.flatMap(({ choices }) => choices)).toMatchObject([
      { text: 'ä', finish_reason: null },
      { text: 'b', finish_reason: null },
      { text: '', finish_reason: 'length' },
    ]);
    expect(parts.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 5 } });
  });

  it('fails where it ends in the middle, or says so', async () => {
    const asked = { ...plain, stream: true };
    await expect(told(asked, ['{"response":"a"}\n'])).rejects.toThrow('in the middle');
    await expect(told(asked, ['{"response":"a"}\n{"error":"gone"}\n'])).rejects.toThrow('gone');
    expect(await told(plain, ['{"error":"model not found"}'], 404)).toMatchObject({
      status: 404,
      text: expect.stringContaining('"message":"model not found"'),
    });
    expect((await told(plain, ['{"error":"broken"}'])).status).toBe(500);
  });
});
