import type { EngineRequest } from '../../modules/serving/engine.port.js';
import { askedChances, chancesReply } from './ollama-probe.js';

const request = (content: object | string, path = '/v1/completions'): EngineRequest => ({
  method: 'POST',
  path,
  headers: {},
  body: Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)),
  signal: AbortSignal.timeout(1000),
});
const probe = { model: 'm', prompt: 'p', max_tokens: 1, temperature: 0, logprobs: 5 };

describe('a completion with probabilities', () => {
  it('is told from every other request', () => {
    expect(askedChances(request(probe))).toEqual({ model: 'm', prompt: 'p', tokens: 1, likeliest: 5 });
    const others = [
      { ...probe, logprobs: undefined },
      { ...probe, stream: true },
      { ...probe, temperature: 1 },
      'null',
      '{',
    ];
    for (const other of others) expect(askedChances(request(other))).toBeUndefined();
    expect(askedChances(request(probe, '/v1/chat/completions'))).toBeUndefined();
  });

  it('comes back as OpenAI tells it', async () => {
    const chances = [
      {
        token: 'a',
        logprob: -1,
        top_logprobs: [
          { token: 'a', logprob: -1 },
          { token: 'b', logprob: -2 },
        ],
      },
    ];
    const { body } = chancesReply('m', { response: 'a', logprobs: chances });
    const text = Buffer.concat(await body.toArray()).toString();
    expect(JSON.parse(text)).toMatchObject({
      model: 'm',
      choices: [{ text: 'a', logprobs: { tokens: ['a'], token_logprobs: [-1], top_logprobs: [{ a: -1, b: -2 }] } }],
    });
  });
});
