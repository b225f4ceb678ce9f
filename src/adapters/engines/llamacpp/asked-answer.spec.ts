import { askedChat, askedText } from './asked-answer.js';
import { BadRequest } from './bad-request.js';

const chat = (more: object = {}) => askedChat({ model: 'm', messages: [{ role: 'user', content: 'Frage' }], ...more });
const text = (more: object = {}) => askedText({ model: 'm', prompt: 'Text', ...more });

function paramOf(ask: () => unknown): string | null {
  try {
    ask();
    return 'taken';
  } catch (error) {
    if (error instanceof BadRequest && error.status === 400) return error.param;
    throw error;
  }
}

describe('a request', () => {
  it('has the defaults of OpenAI', () => {
    expect(chat()).toMatchObject({
      temperature: 1,
      topP: 1,
      topK: 0,
      maxTokens: undefined,
      stops: [],
      ignoresEnd: false,
      likeliest: undefined,
    });
    expect(text()).toMatchObject({ maxTokens: 16, prompt: { text: 'Text' }, isStream: false });
  });

  it('says what it wants', () => {
    const asked = chat({
      max_tokens: 1,
      max_completion_tokens: 2,
      stop: 'x',
      seed: 3,
      logprobs: true,
      top_logprobs: 2,
    });
    expect(asked).toMatchObject({ maxTokens: 2, stops: ['x'], seed: 3, likeliest: 2 });
    const parts = [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ];
    expect(chat({ messages: [{ role: 'developer', content: parts }] }).prompt).toEqual({
      turns: [{ role: 'system', content: 'a\nb' }],
    });
    expect(text({ prompt: [1, 2] }).prompt).toEqual({ tokens: [1, 2] });
    expect(text({ ignore_eos: true })).toMatchObject({ ignoresEnd: true });
    expect(text({ prompt: ['einer'] }).prompt).toEqual({ text: 'einer' });
  });

  it('may name what asks for nothing', () => {
    const nothing = {
      n: 1,
      frequency_penalty: 0,
      tools: [],
      response_format: { type: 'text' },
      logit_bias: null,
      user: 'u',
    };
    expect(paramOf(() => chat(nothing))).toBe('taken');
  });

  it.each([
    [{ n: 2 }, 'n'],
    [{ frequency_penalty: 1 }, 'frequency_penalty'],
    [{ response_format: { type: 'json_object' } }, 'response_format'],
    [{ tools: [{}] }, 'tools'],
    [{ unheard_of: 1 }, 'unheard_of'],
    [{ temperature: 3 }, 'temperature'],
    [{ temperature: '1' }, 'temperature'],
    [{ top_p: 0 }, 'top_p'],
    [{ max_tokens: 0 }, 'max_tokens'],
    [{ max_tokens: 1.5 }, 'max_tokens'],
    [{ stop: [1] }, 'stop'],
    [{ stream: 'yes' }, 'stream'],
    [{ top_logprobs: 2 }, 'top_logprobs'],
    [{ messages: [] }, 'messages'],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }, 'messages[0].content'],
    [{ model: '' }, 'model'],
  ])('with %j is refused for %s', (more, param) => {
    expect(paramOf(() => chat(more))).toBe(param);
  });

  it.each([[{ prompt: ['a', 'b'] }], [{ prompt: [] }], [{ prompt: undefined }], [{ prompt: [1, -1] }]])(
    'for the text of %j is refused',
    (more) => expect(paramOf(() => text(more))).toBe('prompt'),
  );
});
