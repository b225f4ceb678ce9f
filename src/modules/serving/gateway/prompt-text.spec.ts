import { promptText } from './prompt-text.js';

describe('what is asked', () => {
  it.each([
    [
      {
        messages: [
          { role: 'user', content: 'a' },
          { role: 'assistant', content: 'b' },
          { role: 'user', content: 'c' },
        ],
      },
      'c',
    ],
    [{ messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }, { type: 'image_url' }, null] }] }, 'a\n\n'],
    [{ messages: [null, 7] }, ''],
    [{ prompt: 'a' }, 'a'],
    [{ prompt: ['a', 'b'] }, 'a\nb'],
    [{ prompt: [1, 2] }, ''],
    [{}, ''],
  ])('of %j', (body, text) => expect(promptText(body)).toBe(text));
});
